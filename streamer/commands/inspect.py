"""Shows what happened to a ticket, on one screen."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from streamer.config.settings import Settings
from streamer.records.label import Label, Rule, Vote
from streamer.services.inspect.inspection import (
    Hop,
    Inspection,
    LatencyBreakdown,
    Occurrence,
    TaskOutcome,
)
from streamer.services.inspect.search import Watch, find
from streamer.terminal import bars, cell, clean, local, paint, tell, tell_json

SHOWN = 400
BAR = 40
TOP = 3
_PARTS = "█▓▒░"


def run(settings: Settings, ticket_id: str, since: timedelta, text: bool, as_json: bool) -> int:
    """Look for a ticket and show it; returns 1 where nothing was found."""
    with bars() as bar:
        task = bar.add_task("looking", total=None)

        def watch(read: int, total: int) -> None:
            bar.update(task, completed=read, total=total)

        inspection = asyncio.run(_find(settings, ticket_id, since, text, watch))
    if as_json:
        tell_json(inspection.to_dict())
    else:
        tell("\n".join(page(inspection)))
    return 0 if inspection.found else 1


async def _find(
    settings: Settings, ticket_id: str, since: timedelta, text: bool, watch: Watch
) -> Inspection:
    return await find(settings, ticket_id, since, text=text, watch=watch)


def page(inspection: Inspection) -> Iterator[str]:
    """The lines of the screen, harmless whatever the records hold."""
    trace = f"   trace {inspection.trace_id}" if inspection.trace_id else ""
    yield paint(f"ticket {clean(inspection.ticket_id)}", "bold") + trace
    for occurrence in inspection.occurrences:
        yield from _occurrence(occurrence)
    for outcome in inspection.outcomes:
        if outcome.labels or outcome.deleted or outcome.waiting:
            yield ""
            yield from _outcome(outcome)
    if inspection.hops:
        yield ""
        yield paint("hops", "bold")
        yield from map(_hop, inspection.hops)
    if not inspection.found:
        yield from _nowhere(inspection)
    for advice in inspection.advice:
        yield paint(advice, "yellow")


def _occurrence(occurrence: Occurrence) -> Iterator[str]:
    if not occurrence.there:
        yield f"  {clean(occurrence.place)}   no longer there"
        return
    created = f"   created {clean(occurrence.created_at)}" if occurrence.created_at else ""
    problem = f"   {occurrence.problem}" if occurrence.problem else ""
    yield f"  {clean(occurrence.place)}   {_time(occurrence.at_ms)}{created}{problem}"
    if occurrence.subject:
        yield f"  {_quoted(occurrence.subject)}"
    if occurrence.text:
        yield f"  {_quoted(occurrence.text)}"


def _quoted(text: str) -> str:
    flat = " ".join(text[: 4 * SHOWN].split())
    return f"“{clean(flat[:SHOWN])}{'…' if len(text) > SHOWN else ''}”"


def _outcome(outcome: TaskOutcome) -> Iterator[str]:
    state = outcome.state
    name = paint(clean(outcome.task), "bold")
    if state is None:
        yield f"{name}: {'deleted' if outcome.deleted else 'no label yet'}"
    else:
        yield f"{name}: {_state(state, len(outcome.labels))}"
        yield from _reasons(state)
    for probabilities in outcome.verdicts[-1:]:
        yield f"  judge    {_top(probabilities)}"
    if outcome.spent:
        yield f"  time     {_bar(outcome.spent)}"
    if outcome.waiting is not None:
        yield f"  waiting  {clean(outcome.waiting)}"


def _state(label: Label, labels: int) -> str:
    confidence = "" if label.confidence is None else f"  {label.confidence:.3f}"
    words = [f"by {label.source}", "final" if label.final else "not final", *_held(label)]
    if label.verdict is not None:
        words.append(label.verdict)
    if label.revision:
        words.append(f"revision {label.revision}")
    if label.backfill is not None:
        words.append(f"backfill {label.backfill}")
    if labels > 1:
        words.append(f"the state of {labels} labels")
    return f"{paint(clean(label.label), 'green')}{confidence}  {clean(', '.join(words))}"


def _held(label: Label) -> Iterator[str]:
    if label.source == "person":
        yield f"held since {label.decided_at}"
    if (first := label.carried) is not None:
        why = "a person gave theirs up" if label.released else "carried to a newer message"
        yield f"{why}, from {first.topic}[{first.partition}]@{first.offset}"


def _reasons(label: Label) -> Iterator[str]:
    for number, vote in enumerate(label.votes):
        yield f"  {'votes' if number == 0 else '':<7}  {_vote(vote)}"
    calibration = f"; calibration {clean(label.calibration)}" if label.calibration else ""
    yield f"  rule     {_rule(label.rule)}{calibration}"
    if label.segment is not None:
        segment_id = label.segment.number
        segment = "none, served like all" if segment_id is None else str(segment_id)
        yield f"  segment  {segment}; routing {clean(label.segment.version)}"
    if label.judge is not None:
        after = "" if label.after is None else f", then {label.after.kind}:{label.after.alpha:g}"
        yield f"  judge    version {clean(label.judge)}{after}"


def _vote(vote: Vote) -> str:
    who = f"{cell(vote.worker, 20)} {cell(vote.version or '', 4)}"
    if vote.label is None:
        return f"{who} ({clean(vote.abstained or 'abstained')})"
    probability = "" if vote.probability is None else f"{vote.probability:.3f}"
    return f"{who} {cell(vote.label, 20)} {probability}"


def _rule(rule: Rule) -> str:
    words = [f"{rule.kind}: {rule.quorum} of {rule.of}"]
    if rule.worker is not None:
        words.append(f"of {rule.worker} alone")
    if rule.measure is not None:
        words.append(f"{rule.measure} at least {rule.at_least or 0:g}")
    if rule.alpha is not None:
        words.append(f"alpha {rule.alpha:g}")
    return clean(", ".join(words))


def _top(probabilities: Mapping[str, float]) -> str:
    best = sorted(probabilities.items(), key=lambda item: -item[1])[:TOP]
    return "   ".join(f"{clean(label)} {share:.3f}" for label, share in best)


def _bar(parts: Sequence[LatencyBreakdown]) -> str:
    """Lengths in proportion, and at least one sign for whatever took any time."""
    total = sum(part.seconds for part in parts) or 1.0
    drawn = "".join(
        _PARTS[number % len(_PARTS)] * max(round(BAR * part.seconds / total), part.seconds > 0)
        for number, part in enumerate(parts)
    )
    words = ", ".join(
        f"{_PARTS[number % len(_PARTS)]} {part.on} {_seconds(part.seconds)}"
        for number, part in enumerate(parts)
    )
    return f"{drawn}  {words}"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _hop(hop: Hop) -> str:
    where, task = cell(hop.place, 32), cell(hop.task or "-", 12)
    return f"  {_time(hop.at_ms)}  {hop.kind:<13}  {where}  {task}  {clean(hop.note)}"


def _time(ms: int | None) -> str:
    if ms is None:
        return ""
    return local(ms).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _nowhere(inspection: Inspection) -> Iterator[str]:
    yield f"not found since {inspection.since}; looked into"
    for looked in inspection.looked:
        numbers = ", ".join(map(str, looked.partitions))
        yield f"  {looked.topic} [{numbers}]: {looked.records} records"
