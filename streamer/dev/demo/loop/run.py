"""The acts of the loop, one after the other, on a stack of their own."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from streamer.config import Settings, load
from streamer.dev.demo.loop.learner import Learner
from streamer.dev.demo.loop.played import play_wave
from streamer.dev.demo.loop.young import TASK, Young, young
from streamer.dev.stack import Stack
from streamer.dev.stopping import interruptible
from streamer.learn.rollout.waves import Wave, page
from streamer.learn.train import train
from streamer.terminal import console, table

_SEED = 1
_SAID = "The second and the last wave are harder tickets than the first and the third."


def run(config: Path, overrides: Mapping[str, str]) -> int:
    """Play, find segments, align, try, promote, route; 0 where the judge was asked less in the end.

    Raises what made a part fail; no process is left behind.
    """
    began, out = time.monotonic(), console()
    task = young(load(config, overrides))
    with interruptible(), Stack(task.config, {}, out.print) as stack:
        _bring_up(stack, task, out)
        learner = Learner(stack, task, out)
        waves = _acts(stack, task, learner, out)
        path = learner.folder / "loop.html"
        path.write_text(page(waves, learner.pages, _SAID), encoding="utf-8")
    out.print(_shown(waves))
    out.print(_SAID)
    out.print(f"the page: {path}; all of it in {time.monotonic() - began:.0f} s")
    return 0 if waves[-1].asked.value < waves[0].asked.value else 1


def _bring_up(stack: Stack, task: Young, out: Console) -> None:
    stack.start("kafka")
    stack.make_topics()
    out.print("training the judge, and workers on a few examples")
    train.run(load(task.judge), what="judge", seed=_SEED)
    judge = stack.begin("judge")
    train.run(stack.settings, what="workers", seed=_SEED)
    stack.start("triton")
    stack.start("classify")
    judge.result()


def _acts(stack: Stack, task: Young, learner: Learner, out: Console) -> list[Wave]:
    def wave(name: str, number: int) -> Wave:
        out.print(f"wave {number + 1}: {len(task.waves[number])} tickets, {name}")
        asyncio.run(play_wave(stack.settings, task.waves[number]))
        return _measured(stack.settings, name, task, number, learner)

    waves = [wave("workers that learnt a few examples", 0)]
    segments = learner.find_segments()
    learner.begin_trial(segments)
    stack.restart("classify", "triton")
    waves.append(wave("the same, and new versions on trial beside them", 1))
    learner.promote()
    stack.restart("classify", "triton")
    waves.append(wave("the new versions", 2))
    again = learner.find_segments()
    stack.restart("classify", settings={f"tasks.{TASK}.segments": str(again)})
    waves.append(wave("the new versions, by segment", 3))
    return waves


def _measured(settings: Settings, name: str, task: Young, number: int, learner: Learner) -> Wave:
    gold = {ticket.key.decode(): ticket.gold[TASK] for ticket in task.waves[number]}
    return Wave.of(name, learner.decisions(gold), settings.tasks[TASK].label_set, gold)


def _shown(waves: list[Wave]) -> object:
    shown = table("wave", "tickets", "asked the judge", "as the judge", "true", title="the loop")
    for wave in waves:
        shares = (f"{each.value:.3f}" for each in (wave.asked, wave.agreed, wave.right))
        shown.add_row(wave.name, str(wave.tickets), *shares)
    return shown
