"""The test of a judge as tables on a terminal."""

import math

from streamer.learn.judge_test.choosing import Choice
from streamer.learn.judge_test.figures import Figures, PositionBias
from streamer.learn.judge_test.report import Report
from streamer.learn.judge_test.variant import Price
from streamer.learn.measures.interval import Interval
from streamer.terminal import console, table, tell


def show(report: Report) -> None:
    """All that a person wants to see at one look; the page has the rest."""
    told = console()
    tell(f"{report.task}: chosen on {report.chosen_on} tickets, told of on {report.told_on} others")
    told.print(_tried(report.choice, report.chosen_on))
    tell(f"\nchosen: {report.choice.chosen.variant}\n  {report.choice.why}\n")
    told.print(_told(report))
    for each in report.beside:
        tell(
            f"  beside {each.variant}: {each.test.gained} gained, {each.test.lost} lost, by chance"
            f" {each.test.chance:.3f}"
        )
    tell("")
    told.print(_by_label(report.told[0]))
    tell("")
    told.print(_without(report))
    for line in report.missing:
        tell(f"  {line}")


def _tried(choice: Choice, tickets: int) -> object:
    shown = table(f"tried on {tickets} tickets", "accuracy", "NLL", "bias", "tokens", "seconds")
    for each in choice.tried:
        shown.add_row(
            str(each.variant),
            _interval(each.accuracy),
            f"{each.nll:.3f}",
            _bias(each.bias),
            *_price(each.price),
        )
    return shown


def _told(report: Report) -> object:
    ece = "ECE, after T"
    names = ("accuracy", "bias", "coverage", ece, "T", "tokens", "seconds")
    shown = table(f"told of on {report.told_on} tickets", *names)
    for each in report.told:
        shown.add_row(
            each.variant,
            _interval(each.accuracy),
            _bias(each.bias),
            f"{each.coverage.median:.3f}",
            f"{each.before.ece:.3f}, {each.after.ece:.3f}",
            f"{each.temperature:.2f}",
            *_price(each.price),
        )
    return shown


def _by_label(figures: Figures) -> object:
    labels = figures.confusion.labels
    shown = table("true label", "found", "right", *(f"→ {label}" for label in labels))
    for each, row in zip(figures.by_label, figures.confusion.counts, strict=True):
        shown.add_row(each.label, _interval(each.recall), _interval(each.precision), *map(str, row))
    return shown


def _without(report: Report) -> object:
    shown = table("without the judge", "accuracy", "agrees with the judge")
    for each in report.alone:
        shown.add_row(each.name, _interval(each.accuracy), _interval(each.agreement))
    if (cascade := report.cascade) is not None:
        name = f"the cascade by {cascade.rule}, {_interval(cascade.coverage)} without the judge"
        shown.add_row(name, _interval(cascade.accuracy), f"{_interval(cascade.fidelity)} of those")
    return shown


def _interval(value: Interval) -> str:
    if math.isnan(value.value):
        return "-"
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _bias(bias: PositionBias | None) -> str:
    return "-" if bias is None else f"{bias.value:.2f}"


def _price(price: Price) -> tuple[str, str]:
    tokens = "-" if math.isnan(price.tokens) else f"{price.tokens:.0f}"
    return tokens, f"{price.seconds:.2f}"
