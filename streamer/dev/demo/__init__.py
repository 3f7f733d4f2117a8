"""`streamer demo`: real tickets through the whole stack, and a report of what it is worth."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from streamer.config import Settings, load
from streamer.dev.base_model import base_model
from streamer.dev.bring_up import bring_up
from streamer.dev.demo.data_sets import write_config
from streamer.dev.demo.performance import Performance
from streamer.dev.demo.scenario import test_tickets, with_broken
from streamer.dev.demo.summary import summary
from streamer.dev.stack import Stack
from streamer.dev.stopping import interruptible
from streamer.learn.artifacts.repository import foreign
from streamer.learn.judge.order import Teaching
from streamer.learn.train import train
from streamer.terminal import console

_PLAYED_IN_S = 40.0
_SEED = 1


def run(
    config: Path, overrides: Mapping[str, str], *, data: Path | None, rate: float | None
) -> int:
    """Train, start, play, measure, report; 0 if every record is accounted for, else 1.

    `data` is a folder of data sets to play instead of the configured tasks' own. Raises what made
    a part fail; no process is left behind.
    """
    began = time.monotonic()
    out = console()
    if data is not None:
        config = write_config(data, load(config, overrides))
    good = test_tickets(load(config, overrides))
    with interruptible(), Stack(config, overrides, out.print) as stack:
        played = with_broken(good, stack.settings.input.id, _SEED)
        if stack.settings.judge.kind == "llm":
            _train_language(stack.settings, out.print)
        bring_up(stack, out.print, own_workers="triton.url" not in overrides)
        out.print(f"up after {time.monotonic() - began:.0f} s")
        acts = Performance(stack, config, out, began)
        evidence = asyncio.run(acts.run(played, good, rate or len(played) / _PLAYED_IN_S))
        for part in summary(evidence):
            out.print(part)
        for line in _whereabouts(stack, config):
            out.print(line)
    out.print(
        f"first label after {evidence.first_label_s:.0f} s, all of it in "
        f"{time.monotonic() - began:.0f} s"
    )
    missing = evidence.accounts.unaccounted()
    for problem in missing[:20]:
        out.print(problem)
    return 1 if missing else 0


def _train_language(settings: Settings, say: Callable[[str], None]) -> None:
    """A taught model, unless the user has brought one, and the encoder for comparison."""
    folder = settings.path(settings.judge.model)
    if foreign(folder):
        say(f"the judge is your model in {folder}")
    else:
        say("teaching a language model of 135 million weights, where its data has changed")
        base = base_model(settings.judge_python)
        # A stranger waits for it: each time over all tickets takes six minutes of two cores.
        teaching = Teaching(str(base), epochs=1)
        train.run(settings, what="judge", kind="llm", teaching=teaching, seed=_SEED)
    say("training the encoder, which is asked beside the language model")
    train.run(settings, what="judge", kind="classifier", seed=_SEED)


def _whereabouts(stack: Stack, config: Path) -> list[str]:
    settings, topics = stack.settings, stack.settings.topics
    return [
        "",
        f"topics  {topics.tickets} -> {topics.labels}, {topics.judge}, {topics.dead}, "
        f"kept in {settings.path(settings.state) / 'kafka'}",
        f"logs    {stack.logs}",
        "",
        f"Next: `streamer up --config {config}` keeps the same stack running; then, elsewhere,",
        f"`streamer tail --config {config} --beginning` shows these labels, and",
        f"`streamer send --config {config} FILE` labels tickets of your own.",
        "docs/configuration.md says how to bring your own tasks, topics and models.",
        "",
    ]
