"""`streamer evaluate`: a page and a JSON file on each task of a log."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from streamer.commands.logged import Logged, logged, temperatures
from streamer.config.settings import Settings
from streamer.decide.arbitration_rule import arbitration_rule
from streamer.errors import ConfigError
from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.files import write
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.evaluation.second_judge import SecondJudge
from streamer.learn.measures.shares import Share
from streamer.learn.measures.versions import VersionTrial
from streamer.services.learned.rules import rule_after
from streamer.terminal import note, tell, tell_json, watched

WORKER_PRICE = 0.001


def run(
    settings: Settings,
    file: Path,
    folder: Path,
    tasks: Sequence[str],
    gold: Path | None,
    prices: Prices | None,
    latencies: Prices | None,
    as_json: bool = False,
    small_judge: str | None = None,
    margin: float = 1.0,
) -> int:
    """Write each task's report to a folder of its name in `folder`.

    Without `prices` a worker's answer counts as a thousandth of a verdict, and that is said; not
    with a `small_judge`, whose price decides. `margin` is in points. Raises `ConfigError`.
    """
    if prices is None and small_judge is not None:
        raise ConfigError(
            f"--small-judge {small_judge}: prices alone say whether it pays; give"
            " one for each worker and for the judge, such as --price judge=1"
        )
    if prices is None:
        note(f"no prices given: each worker's answer counts as {WORKER_PRICE:g} of a verdict")
    # Read whole before the first is measured, so that the bar knows how many there are.
    logged_tasks = list(logged(settings, file, tasks, gold))
    for each in watched(logged_tasks, "tasks", len(logged_tasks)):
        options = _options(each, prices, latencies)
        options = replace(options, small_judge=small_judge, margin=margin / 100)
        evaluation = evaluate(each.table.dataset, options)
        page = write(evaluation, folder / each.name)
        if as_json:
            tried = [_json(trial) for trial in each.trials]
            summary = {"task": each.name, "tickets": evaluation.tickets, "page": str(page)}
            second = evaluation.second_judge and evaluation.second_judge.verdict
            tell_json({**summary, "second_judge": second, "shadows": tried})
        else:
            tell(f"{each.name}: {evaluation.tickets} tickets, {page}")
            if evaluation.second_judge is not None:
                tell(_second(evaluation.second_judge))
            elif small_judge is not None:
                note(
                    f"{each.name}: no true labels, which decide whether {small_judge} pays: --gold"
                )
            for trial in each.trials:
                tell(_line(trial))
    return 0


def _second(found: SecondJudge) -> str:
    beside = found.besides[0]
    lead, saves = (
        f"{100 * value.value:+.1f} [{100 * value.low:+.1f}, {100 * value.high:+.1f}]"
        for value in (beside.lead, beside.saves)
    )
    return (
        f"  {found.small} before the judge: {found.verdict}; it saves {saves} % of the cost, at"
        f" {lead} points of accuracy"
    )


def _line(trial: VersionTrial) -> str:
    return (
        f"  {trial.worker}: shadow version {trial.version} answered {trial.answered} of"
        f" {trial.drawn}; agrees with version {trial.serving} on {_shown(trial.agreement)}; with"
        f" the judge, in the uniform stratum, on {_shown(trial.judged)}, version {trial.serving} on"
        f" {_shown(trial.serving_judged)}"
    )


def _shown(share: Share | None) -> str:
    return "-" if share is None else f"{share} of {share.of}"


def _json(trial: VersionTrial) -> dict[str, object]:
    shares = ("agreement", "judged", "serving_judged")
    by_name: dict[str, Share | None] = {name: getattr(trial, name) for name in shares}
    return {
        **asdict(trial),
        **{
            name: share and {"value": share.value, "interval": share.interval, "of": share.of}
            for name, share in by_name.items()
        },
    }


def _options(each: Logged, prices: Prices | None, latencies: Prices | None) -> Options:
    assumed = Prices(dict.fromkeys(each.table.dataset.workers, WORKER_PRICE), 1.0)
    calibration = each.calibration()
    after = rule_after(each.task, calibration)
    return Options(
        costs=prices or assumed,
        latencies=latencies,
        rule=each.rule(calibration),
        after=arbitration_rule(after.kind, after.alpha),
        temperatures=temperatures(calibration),
        router=None if calibration is None else calibration.router,
    )
