"""`streamer segments fit`: from a log and its tickets to named segments and a page about them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.backends.gate import Gate
from streamer.commands.evaluate import WORKER_PRICE
from streamer.commands.logged import Logged, logged_of, temperatures
from streamer.commands.ticket_texts import ticket_texts
from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.segments.by_segment import SegmentRoute
from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.segments.finding import FoundSegments, find
from streamer.learn.segments.folder import latest, write
from streamer.learn.segments.nearest import Embeddings
from streamer.learn.segments.report import Report, report
from streamer.learn.segments.routed import Routed, route
from streamer.learn.segments.sample import SegmentSample
from streamer.learn.segments.shape import with_shape
from streamer.records.log_file import read_log
from streamer.records.segments import GENERAL
from streamer.services.learned.rules import rule_before
from streamer.terminal import bars, clean, console, note, table, tell_json, watched


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How to fit: the number of segments (None to choose it), the seed, the most tickets, whether
    the page may show what tickets say, and what a ticket may cost as a share of a verdict (None to
    choose no routes).
    """

    size: int | None = None
    seed: int = 1
    most: int = 20_000
    text: bool = True
    budget: float | None = None


def fit(
    settings: Settings,
    log: Path,
    file: Path,
    folder: Path,
    wanted: FitOptions,
    as_json: bool = False,
) -> int:
    """Write a new version into `folder` and say what was found.

    The log has no text, so `file` has the tickets, as `streamer send` reads them; they are joined
    by their ids. Raises `ConfigError`, and `ModelError` where the embedding fails.
    """
    decisions = logged_decisions(watched(read_log(log), "records"))
    times = _uniform(decisions)
    sample = SegmentSample.of(times, ticket_texts(settings, file), wanted.most)
    for line in sample.notes:
        note(line)
    previous = latest(folder)
    embeddings, encoder = _embedded(settings, sample)
    found = find(sample, embeddings, encoder, seed=wanted.seed, size=wanted.size, previous=previous)
    tasks = _logged(settings, decisions)
    texts, segment_ids = sample.texts, found.segment_ids
    classifier = learn_classifier(texts, segment_ids, len(found.segmentation.segments), wanted.seed)
    moments = [times[name] for name in sample.ids]
    gate = None if classifier is None else classifier.gate
    result = report(
        found,
        sample,
        moments,
        [each.table.dataset for each in tasks],
        classifier=None if classifier is None else classifier.figures,
        routed=list(_routed(found, sample, gate, tasks, wanted.budget)),
        text=wanted.text,
    )
    target = write(folder, found.segmentation, result, classifier)
    (_tell_json if as_json else _tell)(result, target)
    return 0


def _uniform(decisions: Sequence[LoggedDecision]) -> Mapping[str, str]:
    """The first time of every ticket of the uniform stratum, by its id."""
    first: dict[str, str] = {}
    for decision in decisions:
        if decision.ballot is not None and decision.ballot.uniform:
            ticket, decided_at = decision.ballot.ticket_id, decision.ballot.at
            first[ticket] = min(decided_at, first.get(ticket, decided_at))
    if not first:
        raise ConfigError(
            "the log has no ticket of the uniform stratum: raise audit.share, wait, and export the"
            " log again"
        )
    return first


def _embedded(settings: Settings, sample: SegmentSample) -> tuple[Embeddings, str]:
    if not len(sample):
        raise ConfigError("no ticket of the log is in the file: give the file of these tickets")
    process = JudgeProcess(settings.judge_python)
    with bars() as shown:
        bar = shown.add_task("embedding", total=len(sample))
        embeddings, encoder = process.embed(
            sample.texts, lambda done, total: shown.update(bar, completed=done, total=total)
        )
    return with_shape(embeddings, sample.texts), encoder


def _logged(settings: Settings, decisions: Sequence[LoggedDecision]) -> list[Logged]:
    logs = [logged_of(settings, name, decisions) for name in settings.tasks]
    return [each for each in logs if len(each.table.dataset)]


def _routed(
    found: FoundSegments,
    sample: SegmentSample,
    gate: Gate | None,
    tasks: Sequence[Logged],
    budget: float | None,
) -> Iterator[Routed]:
    # As classify will name them: what its classifier is unsure of takes the general way.
    parts = found.segmentation.segments
    named = np.full(len(sample), GENERAL) if gate is None else gate.names(sample.texts).segment_ids
    where = dict(zip(sample.ids, named.tolist(), strict=True))
    for each in tasks if budget is not None else ():
        # Of a sample, or of tickets without a text, nothing is known of the others.
        rows = [row for row, name in enumerate(each.table.dataset.ids) if name in where]
        dataset = each.table.dataset[np.array(rows, np.int64)]
        segment_ids = np.array([where[name] for name in dataset.ids], np.int64)
        prices = dict.fromkeys(dataset.workers, WORKER_PRICE)
        numbers = [part.number for part in parts]
        routed = route(dataset, segment_ids, numbers, prices, budget or 0.0, _configured(each))
        if routed is None:
            note(f"{each.name}: too few judged tickets to choose ways by")
        else:
            yield routed


def _configured(each: Logged) -> SegmentRoute:
    """How the task is served without segments."""
    calibration, workers = each.calibration(), each.table.dataset.workers
    temperature_of = temperatures(calibration)
    heat = tuple(temperature_of[name] for name in workers) if temperature_of else ()
    return SegmentRoute(tuple(range(len(workers))), rule_before(each.task, calibration), heat)


def _tell(made: Report, target: Path) -> None:
    names = [task.task for task in made.everywhere]
    shown = table("segment", "share", *names, title=f"version {made.version}")
    for segment in made.segments:
        shares = [
            "-" if each.best is None else f"{each.best.agreement.value:.3f}"
            for each in segment.served
        ]
        shown.add_row(clean(segment.name), f"{segment.share.value:.3f}", *shares)
    out = console()
    out.print(shown)
    if names:
        out.print("shares of a task: the best set's agreement with the judge")
    for task in made.routed:
        lead = task.lead.agreement
        out.print(
            f"{task.task}: a way per segment agrees with the judge on"
            f" {task.routed.agreement.value:.3f}, one way for all on"
            f" {task.unrouted.agreement.value:.3f}; difference {lead.value:+.3f}"
            f" [{lead.low:+.3f}, {lead.high:+.3f}], judge rates"
            f" {task.routed.judge_rate.value:.3f} and {task.unrouted.judge_rate.value:.3f}"
        )
    out.print(f"written to {target}")


def _tell_json(made: Report, target: Path) -> None:
    segments = [
        {
            "number": segment.number,
            "name": segment.name,
            "share": segment.share.value,
            "new": not segment.carried,
        }
        for segment in made.segments
    ]
    summary = {"folder": str(target), "version": made.version, "segments": segments}
    tell_json({**summary, "classifier": made.classifier, "routed": made.routed})
