"""The flow of `streamer judge --test`."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from streamer.commands.judge_test.embedded import Embedded
from streamer.commands.judge_test.shown import show
from streamer.commands.judge_test.ways import Ways
from streamer.commands.judge_test.without import Without
from streamer.commands.judge_test.writing import Choosable, keys, write
from streamer.config.settings import Settings
from streamer.config.tasks import Data
from streamer.errors import ConfigError
from streamer.judging.judge import Judge
from streamer.judging.llm.language import LanguageJudge
from streamer.learn.data.examples import Examples, read_examples
from streamer.learn.judge_test.answers import AnswerFile
from streamer.learn.judge_test.asking import Asking, Progress
from streamer.learn.judge_test.examination import Examination, examine
from streamer.learn.judge_test.material import Material
from streamer.learn.judge_test.report import Report
from streamer.terminal import bars, note, tell, tell_json
from streamer.words import no_such_task

_ANSWERS = "judge.answers.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says.

    `choose` tickets of the training data are chosen on, and the first `tickets` of `file` told of.
    `prompts` are tried beside the configured one, and `examples` labelled tickets beside each
    ticket. Answers and reports lie in `out`; `config` is changed where that is asked for.
    """

    file: Path
    tasks: tuple[str, ...]
    choose: int
    tickets: int | None
    prompts: tuple[Path, ...]
    examples: int
    out: Path
    config: Path | None
    as_json: bool


def run(settings: Settings, wish: Wish) -> int:
    """Test the judge on one task; raises `ConfigError`, or `EngineDead`."""
    task = _task(settings, wish.tasks)
    label_set = settings.tasks[task].label_set
    material = _material(settings, task, wish)
    embedded = Embedded.of(material, label_set, settings.path(settings.state) / "embeddings")
    # Ended by whatever supervises it: the engine must not stay behind with its gigabytes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    ways, found, version = asyncio.run(_examined(settings, wish, task, material, embedded))
    gold = np.array([label_set.index[label] for label in material.telling.labels], np.int64)
    without = Without.of(settings, task, embedded, found.named, gold)
    report = Report(
        task=task,
        judge=version,
        chosen_on=len(material.choosing),
        told_on=len(material.telling),
        choice=found.choice,
        told=found.told,
        beside=found.beside,
        alone=without.alone,
        cascade=without.cascade,
        missing=without.missing,
    )
    page = report.write(wish.out / task)
    if wish.as_json:
        tell_json(report)
    else:
        show(report)
        tell(f"\n{page}")
    if why := _unstartable(settings, report):
        note(why)
    _settle(settings, wish, ways, report, embedded)
    return 0


def _unstartable(settings: Settings, report: Report) -> str | None:
    """Why the service would refuse the judge as it was told of; None where it wouldn't."""
    coverage, least = report.told[0].coverage.median, settings.judge.min_coverage
    if not coverage < least:
        return None
    return (
        f"so asked it gives the labels {coverage:.2g} of its probability, in the median, and "
        f"judge.min_coverage is {least:g}: the service would not start. Correct the prompt, take a "
        "larger instruction-tuned model, teach this one by `streamer train judge --kind llm`, or "
        "lower judge.min_coverage"
    )


def _settle(settings: Settings, wish: Wish, ways: Ways, report: Report, embedded: Embedded) -> None:
    """Write what was chosen, or say how to."""
    chosen = report.choice.chosen.variant
    if chosen.question.codes is None:
        return
    if wish.config is None:
        lines = ", ".join(f"{name}: {orjson.dumps(v).decode()}" for name, v in keys(chosen).items())
        note(f"to serve it: judge: {{{lines}}}; --write does it, examples and prompt included")
        return
    choosable = Choosable(report.task, dict(ways.prompts), embedded.labelled())
    for line in write(settings, wish.config, chosen, choosable):
        note(line)


@dataclass(slots=True)
class _Engine:
    """Started when a first answer is missing, so that a run that is complete needs none."""

    judge: Judge
    running: bool = False

    async def started(self) -> None:
        if not self.running:
            self.running = True
            note("starting the judge, which takes minutes for a large model")
            if isinstance(self.judge, LanguageJudge):
                await self.judge.load_alone()
            else:
                await self.judge.start()

    async def stop(self) -> None:
        if self.running:
            await self.judge.stop()


async def _examined(
    settings: Settings, wish: Wish, task: str, material: Material, embedded: Embedded
) -> tuple[Ways, Examination, str]:
    """How the judge can be asked, what was found, and the version of what was chosen."""
    label_set = settings.tasks[task].label_set
    # What has too little coverage to be served is what one wants to know.
    judge = settings.judge.model_copy(update={"min_coverage": 0.0})
    settings = settings.model_copy(update={"judge": judge})
    kept = AnswerFile(wish.out / task / _ANSWERS)
    ways = await Ways.of(settings, task, wish.prompts, wish.examples, embedded)
    engine = _Engine(next(iter(ways.judges.values())), ways.begun)
    asking = Asking(task, label_set, ways.judges, kept, engine.started)
    with bars() as shown:

        def watch(what: str) -> Progress:
            bar = shown.add_task(what, total=None)
            return lambda done, total: shown.update(bar, completed=done, total=total)

        try:
            found = await examine(
                asking, ways.questions, ways.configured, material.choosing, material.telling, watch
            )
            question = found.choice.chosen.variant.question
            return ways, found, ways.judges[question].version(task, label_set.version)
        finally:
            await engine.stop()


def _task(settings: Settings, named: tuple[str, ...]) -> str:
    for name in named:
        if name not in settings.tasks:
            raise ConfigError(no_such_task(name, settings.tasks))
    known = named or tuple(settings.tasks)
    if len(known) > 1:
        raise ConfigError(f"a test is of one task: name it by --task, one of {', '.join(known)}")
    return known[0]


def _material(settings: Settings, task: str, wish: Wish) -> Material:
    data = settings.tasks[task].data
    if data is None:
        raise ConfigError(
            f"tasks.{task}.data is missing: it takes labelled tickets to choose on, and the names "
            "of the columns"
        )
    labels = settings.tasks[task].labels
    train = _examples(settings, data, data.train)
    train.check_labels(labels, str(data.train))
    telling = _examples(settings, data, wish.file)
    if strange := [label for label in telling.labels if label not in labels]:
        raise ConfigError(f"{wish.file}: task {task} has no label {strange[0]!r}: correct the file")
    return Material.of(train, telling, wish.choose, wish.tickets)


def _examples(settings: Settings, data: Data, file: Path) -> Examples:
    return read_examples(settings.path(file), text=settings.example_text(data), label=data.label)
