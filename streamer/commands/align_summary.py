"""What aligning did, in tables and words."""

import math
from collections.abc import Iterator, Sequence

from rich.table import Table

from streamer.learn.align.change import Change
from streamer.learn.align.report import TaskReport
from streamer.learn.measures.interval import Interval
from streamer.terminal import clean, console, table

_COLUMNS = ("before", "after", "difference")


def tell_reports(reports: Sequence[TaskReport]) -> None:
    """Write every task's on stdout."""
    out = console()
    for report in reports:
        for line in _material(report):
            out.print(line)
        for shown in (_tried(report), _workers(report), _pairs(report), _vote(report)):
            if shown.row_count:
                out.print(shown)
        for line in _ends(report):
            out.print(line)


def _material(report: TaskReport) -> Iterator[str]:
    weighting = report.weighting
    yield (
        f"{report.task}: learnt from {weighting.judged} judged tickets ({weighting.uniform} of"
        f" the uniform stratum), worth {weighting.effective:.0f} of equal weight, and"
        f" {weighting.examples} examples; tested on the {report.tickets} uniform tickets since"
        f" {report.since}"
    )
    if weighting.copies:
        yield f"{weighting.copies} copies of test texts were left out"


def _tried(report: TaskReport) -> Table:
    shown = table("held-out tickets", "agreement with the judge", "distance", "taken")
    for trial in report.trials:
        for each in trial.tried:
            shown.add_row(
                clean(f"{trial.worker}: {each.shape}, {each.loss}"),
                _interval(each.agreement),
                _number(each.distance),
                "yes" if each == trial.best else "",
            )
    return shown


def _workers(report: TaskReport) -> Table:
    shown = table("agreement with the judge", "tickets", *_COLUMNS, "distance")
    for each in report.workers:
        where = each.worker if each.segment is None else f"  {each.segment}"
        far = each.distance
        moved = "-"
        if far is not None:
            moved = f"{_number(far.before.value)} to {_number(far.after.value)}"
        shown.add_row(clean(where), str(each.tickets), *_change(each.agreement), moved)
    return shown


def _pairs(report: TaskReport) -> Table:
    shown = table("who errs together", *_COLUMNS)
    for pair in report.pairs:
        shown.add_row(f"{' + '.join(pair.workers)}: agree", *_change(pair.agreement))
        shown.add_row("  wrong alike, of those with an error", *_change(pair.wrong_alike))
    return shown


def _vote(report: TaskReport) -> Table:
    shown = table("the vote" if report.vote is None else f"the vote: {report.vote.rule}", *_COLUMNS)
    if report.vote is not None:
        rows = {
            "accepted without the judge (A1)": report.vote.coverage,
            "of those as the judge (A2)": report.vote.fidelity,
            "both (A3)": report.vote.agreement,
            "left to the judge": report.vote.judge_rate,
            "published unlike the judge": report.vote.differing,
        }
        for name, each in rows.items():
            shown.add_row(name, *_change(each))
    return shown


def _ends(report: TaskReport) -> Iterator[str]:
    if report.vote is None:
        yield "the rule waits for a calibration: nothing can be said of the vote"
    else:
        yield report.vote.verdict
    if report.kept:
        yield f"as they were: {', '.join(report.kept)}"
    for model, number in report.versions.items():
        yield f"written: {model}, version {number}"
    if not report.versions:
        yield "nothing was written"


def _change(change: Change) -> tuple[str, str, str]:
    lead = change.difference
    ends = f"{lead.value:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]"
    shown = "-" if math.isnan(lead.value) else ends
    return _number(change.before.value), _number(change.after.value), shown


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
