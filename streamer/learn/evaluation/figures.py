"""Which plots an evaluation has, and how each is to be read."""

from collections.abc import Sequence
from dataclasses import replace

from streamer.learn.evaluation.curves import Curve, Deferral
from streamer.learn.evaluation.evaluation import Evaluation
from streamer.learn.evaluation.plots import Line, Plot, lines
from streamer.learn.evaluation.reliability import Diagram, ModelReliability
from streamer.learn.evaluation.scalars import Worth
from streamer.learn.evaluation.subsets import Subset

_MOST_LINES = 8


def plots(evaluation: Evaluation) -> list[Plot]:
    """In the order of the page."""
    shown_plots = [_deferral(index, each) for index, each in enumerate(evaluation.deferrals)]
    main = evaluation.deferrals[0]
    shown_plots.append(_price("cost", main, evaluation.by_cost))
    if evaluation.by_latency is not None:
        shown_plots.append(_price("latency", main, evaluation.by_latency))
    if evaluation.corrections:
        shown_plots.append(_corrections(evaluation.corrections, main))
    shown_plots += [
        _reliability(index, each) for index, each in enumerate(evaluation.reliabilities)
    ]
    return [*shown_plots, _subsets(evaluation.subsets)] if evaluation.subsets else shown_plots


def shown(curves: Sequence[Curve]) -> list[Curve]:
    """The plain rules, and of the others the eight with the largest area: more can't be told
    apart. Tables have all.
    """
    swept = sorted((c for c in curves if not c.fixed), key=lambda c: -c.audc.value)
    return [*swept[:_MOST_LINES], *(c for c in curves if c.fixed)]


def _deferral(index: int, each: Deferral) -> Plot:
    series = [_line(curve) for curve in shown(each.curves)]
    baselines = [Line(c.name, c.rates, c.quality, plain=True) for c in (each.oracle, each.random)]
    best = max(each.curves, key=lambda c: c.audc.value)
    return Plot(
        f"deferral-{index}",
        f"Deferral: {each.measure} over judge rate",
        f"{each.measure} of each rule from judge rate 0 to 1; the judge alone has"
        f" {each.judge:.3f}, and {best.name} has the largest area, {best.audc.value:.3f}",
        lines([*series, *baselines], "judge rate", each.measure, level=("judge", each.judge)),
    )


def _price(what: str, main: Deferral, worths: Sequence[Worth]) -> Plot:
    workers = {worth.family: worth.workers for worth in worths}
    series = [
        Line(
            curve.name,
            tuple(rate + workers[curve.name] for rate in line.x),
            line.y,
            joined=not curve.fixed,
        )
        for curve in shown(main.curves)
        for line in [_line(curve)]
    ]
    return Plot(
        what,
        f"{what.capitalize()} against {main.measure}",
        f"{main.measure} of each rule over its {what}, where 1 is the judge on every ticket",
        lines(
            series, f"{what} relative to the judge alone", main.measure, level=("judge", main.judge)
        ),
    )


def _corrections(curves: Sequence[Curve], main: Deferral) -> Plot:
    series = [Line(curve.name, curve.rates, curve.quality) for curve in curves]
    return Plot(
        "corrections",
        f"Corrections: final {main.measure}",
        f"final {main.measure} over the share of corrected labels, a line for each rule",
        lines(series, "correction rate", f"final {main.measure}", level=("judge", main.judge)),
    )


def _reliability(index: int, each: ModelReliability) -> Plot:
    series = [Line("as it should be", (0.0, 1.0), (0.0, 1.0), plain=True)]
    for name, diagram in (("before", each.before), ("after temperature", each.after)):
        series.append(_bins(name, diagram))
    return Plot(
        f"reliability-{index}",
        f"Reliability of {each.model}",
        f"how often {each.model} is right, by how sure it is; expected calibration error"
        f" {each.before.scores.ece:.3f} before and {each.after.scores.ece:.3f} after temperature",
        lines(series, "probability of its label", f"share right, by {each.truth}"),
    )


def _subsets(subsets: Sequence[Subset]) -> Plot:
    """Numbers instead of names: three long ones don't fit a legend."""
    best, others = subsets[:_MOST_LINES], subsets[_MOST_LINES:]
    series = [_marks(str(number), [each]) for number, each in enumerate(best, start=1)]
    if others:
        series.insert(0, replace(_marks("others", others), plain=True))
    return Plot(
        "subsets",
        "Pairs and triples: fidelity over coverage",
        f"{len(subsets)} sets of workers by coverage and fidelity; the most faithful is"
        f" {best[0].name}, with {best[0].fidelity.value:.3f} at {best[0].coverage.value:.3f}",
        lines(series, "coverage", "fidelity"),
    )


def _marks(name: str, subsets: Sequence[Subset]) -> Line:
    x = tuple(each.coverage.value for each in subsets)
    return Line(name, x, tuple(each.fidelity.value for each in subsets), joined=False)


def _line(curve: Curve) -> Line:
    if curve.fixed:
        return Line(curve.name, curve.rates[-1:], curve.quality[-1:], joined=False)
    return Line(curve.name, curve.rates, curve.quality)


def _bins(name: str, diagram: Diagram) -> Line:
    return Line(
        name,
        tuple(each.confidence for each in diagram.bins),
        tuple(each.right for each in diagram.bins),
    )
