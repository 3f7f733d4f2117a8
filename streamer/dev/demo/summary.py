"""The report at the end of the demo, as text."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table

from streamer.dev.demo.evidence import Drain, OtherJudge, RunEvidence, TaskEvidence
from streamer.dev.demo.view import milliseconds
from streamer.learn.measures.shares import (
    Figures,
    committees,
    figures,
    figures_by_label,
    predicted_speedup,
    share,
)
from streamer.terminal import table

_WORST = 5


def summary(evidence: RunEvidence) -> Iterator[str | Table]:
    """Lines and tables, in the order to print."""
    for task in evidence.tasks:
        yield ""
        yield f"TASK {task.name}: {len(task.gold)} test tickets, {len(task.labels)} labels"
        yield from _live(task)
        yield _singles(task)
        yield "  rules, * is the one that ran; speedup as predicted from coverage and cost"
        yield _alternatives(task, _judge_cost(evidence.drains, task.name))
        yield from _weakest(task)
    yield ""
    yield from _calibrations(evidence)
    yield ""
    if evidence.others:
        yield _judges(evidence)
        yield "Fidelity is of what the workers agreed on, cost per decision from a full topic."
        yield ""
    yield _speed(evidence)
    yield "Per decision. Both drained from a full topic at full speed, warm, without loading."
    yield "rho is a worker's time alone over the judge's; the stream's own cost is in neither."
    yield ""
    yield _latency(evidence)
    yield ""
    yield _ledger(evidence)


def _live(task: TaskEvidence) -> Iterator[str]:
    measured = figures(task.agreed, task.judge, task.gold)
    yield f"  coverage    {measured.coverage}  accepted without the judge"
    kappa = f"(kappa {measured.kappa:.3f})"
    yield f"  fidelity    {measured.fidelity}  the judge agrees on those {kappa}"
    yield f"  accuracy    {share(task.live == task.gold)}  of the published labels"
    yield f"  judge-only  {share(task.judge == task.gold)}  accuracy of the judge on every ticket"
    yield f"  saved       {int((task.agreed >= 0).sum())} of {len(task.gold)} judge calls"


def _singles(task: TaskEvidence) -> Table:
    shown = table("  each alone", "accuracy", "as the judge", "µs/ticket")
    for name, alone in task.alone.items():
        shown.add_row(
            f"  {name}",
            str(share(alone.label_ids == task.gold)),
            str(share(alone.label_ids == task.judge)),
            f"{alone.cost * 1e6:.0f}",
        )
    return shown


def _alternatives(task: TaskEvidence, judge_cost: float) -> Table:
    shown = table("  rules", "coverage", "fidelity", "accuracy", "saved", "speedup")
    answers = {name: alone.label_ids for name, alone in task.alone.items()}
    costs = {name: alone.cost for name, alone in task.alone.items()}
    for committee in committees(list(answers)):
        measured = figures(committee.accepted(answers), task.judge, task.gold)
        speedup = predicted_speedup(
            committee.cost(answers, costs), judge_cost, measured.coverage.value
        )
        mark = "*" if committee == task.committee else " "
        name = str(committee).replace(f"{task.name}_", "")
        shown.add_row(f"{mark} {name}", *_cells(measured), f"{speedup:.1f}")
    return shown


def _cells(measured: Figures) -> list[str]:
    shares = (measured.coverage, measured.fidelity, measured.accuracy)
    return [*map(str, shares), str(measured.coverage.hits)]


def _calibrations(evidence: RunEvidence) -> Iterator[str | Table]:
    shown = table("CALIBRATED", "coverage", "fidelity", "accuracy", "saved")
    for tried in evidence.tried:
        rule = tried.calibration.rule
        thresholds = (rule.measure, rule.at_least, rule.alpha)
        threshold = " ".join(str(value) for value in thresholds if value is not None)
        shown.add_row(f"{tried.task}: {rule.kind} {threshold}", *_cells(tried.figures))
        shown.add_row(f"{tried.task}: plain majority", *_cells(tried.majority))
    yield shown
    yield "Wished: at most 15 % judge calls; chosen on tickets that no model learnt from."
    for tried in evidence.tried:
        yield f"Held-back beside test, {tried.task}: {tried.alike}"
    for tried in evidence.tried:
        yield f"Report to open in a browser: {tried.page}"


def _weakest(task: TaskEvidence) -> Iterator[str]:
    """Labels on which workers and judge differ most, among what was accepted."""
    by_label = figures_by_label(task.agreed, task.judge, task.gold, task.labels)
    doubtful = [
        (label, of_label) for label, of_label in by_label.items() if of_label.coverage.hits >= 5
    ]
    doubtful.sort(key=lambda item: item[1].fidelity.value)
    named = [
        f"{label} {of_label.fidelity.value:.2f}"
        for label, of_label in doubtful[:_WORST]
        if of_label.fidelity.value < 1
    ]
    if named:
        yield f"  lowest fidelity by label: {', '.join(named)}"


def _speed(evidence: RunEvidence) -> Table:
    shown = table(
        "SPEED", "tickets", "judge-only", "cascade", "measured speedup", "predicted 1/(n*rho+1-a)"
    )
    for drain in evidence.drains:
        shown.add_row(
            " + ".join(drain.tasks),
            str(drain.tickets),
            f"{1 / drain.judge_only:.0f}/s",
            f"{1 / drain.cascade:.0f}/s",
            f"{drain.judge_only / drain.cascade:.2f}",
            f"{_predicted(evidence.tasks, drain):.2f}",
        )
    return shown


def _predicted(tasks: Sequence[TaskEvidence], drain: Drain) -> float:
    drained = [task for task in tasks if task.name in drain.tasks]
    weights = [len(task.gold) for task in drained]
    costs = [
        task.committee.cost(
            {name: alone.label_ids for name, alone in task.alone.items()},
            {name: alone.cost for name, alone in task.alone.items()},
        )
        for task in drained
    ]
    coverage = [float((task.agreed >= 0).mean()) for task in drained]
    return predicted_speedup(
        float(np.average(costs, weights=weights)),
        drain.judge_only,
        float(np.average(coverage, weights=weights)),
    )


def _judges(evidence: RunEvidence) -> Table:
    """The stack's judge and others that were asked, on every test ticket."""
    shown = table("JUDGES", "kind", "accuracy", "fidelity of the workers", "ms/ticket")
    for task in evidence.tasks:
        own = OtherJudge(
            evidence.judge, task.name, task.judge, _judge_cost(evidence.drains, task.name)
        )
        for judge in (own, *(other for other in evidence.others if other.task == task.name)):
            measured = figures(task.agreed, judge.label_ids, task.gold)
            accuracy = share(judge.label_ids == task.gold)
            cost = f"{judge.cost * 1e3:.1f}"
            shown.add_row(task.name, judge.kind, str(accuracy), str(measured.fidelity), cost)
    return shown


def _judge_cost(drains: Sequence[Drain], task: str) -> float:
    return next(drain.judge_only for drain in drains if task in drain.tasks)


def _latency(evidence: RunEvidence) -> Table:
    shown = table("LATENCY", "by", "labels", "p50/p99")
    took: dict[tuple[str, str], list[int]] = {}
    for _, outcome, latency_ms in evidence.accounts.outcomes():
        if outcome.task:
            took.setdefault((outcome.task, outcome.kind), []).append(latency_ms)
    for (task, kind), latencies in sorted(took.items()):
        shown.add_row(task, kind, str(len(latencies)), milliseconds(latencies))
    return shown


def _ledger(evidence: RunEvidence) -> Table:
    accounts = evidence.accounts
    shown = table("LEDGER", "")
    shown.add_row("records played", str(accounts.records))
    for kind, count in sorted(accounts.ledger().items()):
        shown.add_row(f"  {kind}", str(count))
    shown.add_row("repeats", str(accounts.repeats))
    shown.add_row("repeats that differ", str(len(accounts.differing)))
    shown.add_row("restarts of a part", str(evidence.restarts))
    shown.add_row("unaccounted for", str(len(accounts.unaccounted())))
    return shown
