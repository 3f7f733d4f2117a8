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
    for one in reports:
        for line in _material(one):
            out.print(line)
        for shown in (_tried(one), _workers(one), _pairs(one), _vote(one)):
            if shown.row_count:
                out.print(shown)
        for line in _ends(one):
            out.print(line)


def _material(one: TaskReport) -> Iterator[str]:
    known = one.weighting
    yield (
        f"{one.task}: learnt from {known.judged} judged tickets ({known.uniform} of the uniform"
        f" stratum), worth {known.effective:.0f} of equal weight, and {known.examples} examples;"
        f" tested on the {one.tickets} uniform tickets since {one.since}"
    )
    if known.copies:
        yield f"{known.copies} copies of test texts were left out"


def _tried(one: TaskReport) -> Table:
    shown = table("held-out tickets", "agreement with the judge", "distance", "taken")
    for trial in one.trials:
        for each in trial.tried:
            shown.add_row(
                clean(f"{trial.worker}: {each.shape}, {each.loss}"),
                _interval(each.agreement),
                _number(each.distance),
                "yes" if each == trial.best else "",
            )
    return shown


def _workers(one: TaskReport) -> Table:
    shown = table("agreement with the judge", "tickets", *_COLUMNS, "distance")
    for each in one.workers:
        where = each.worker if each.segment is None else f"  {each.segment}"
        far = each.distance
        moved = "-"
        if far is not None:
            moved = f"{_number(far.before.value)} to {_number(far.after.value)}"
        shown.add_row(clean(where), str(each.tickets), *_change(each.agreement), moved)
    return shown


def _pairs(one: TaskReport) -> Table:
    shown = table("who errs together", *_COLUMNS)
    for pair in one.pairs:
        shown.add_row(f"{' + '.join(pair.workers)}: agree", *_change(pair.agreement))
        shown.add_row("  wrong alike, of those with an error", *_change(pair.wrong_alike))
    return shown


def _vote(one: TaskReport) -> Table:
    shown = table("the vote" if one.vote is None else f"the vote: {one.vote.rule}", *_COLUMNS)
    if one.vote is not None:
        rows = {
            "accepted without the judge (A1)": one.vote.coverage,
            "of those as the judge (A2)": one.vote.fidelity,
            "both (A3)": one.vote.agreement,
            "left to the judge": one.vote.judge_rate,
            "published unlike the judge": one.vote.differing,
        }
        for name, each in rows.items():
            shown.add_row(name, *_change(each))
    return shown


def _ends(one: TaskReport) -> Iterator[str]:
    if one.vote is None:
        yield "the rule waits for a calibration: nothing can be said of the vote"
    else:
        yield one.vote.verdict
    if one.kept:
        yield f"as they were: {', '.join(one.kept)}"
    for model, number in one.versions.items():
        yield f"written: {model}, version {number}"
    if not one.versions:
        yield "nothing was written"


def _change(change: Change) -> tuple[str, str, str]:
    lead = change.difference
    ends = f"{lead.value:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}]"
    shown = "-" if math.isnan(lead.value) else ends
    return _number(change.before.value), _number(change.after.value), shown


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
