"""Would a small judge before the large one pay, on a log of fourteen language models?

Every pair of models that are quicker than the large judge, and the three cheap ones of `quality`,
beside each other quicker model as the small judge. A ticket costs the seconds of its answers.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from bench.answers_of_llms import FILE, WORKERS
from bench.language_log import JUDGES
from bench.llm_log import LlmLog
from bench.result import FOLDER, Result, spread
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.evaluation.second_judge import Beside, SecondJudge, second_judge
from streamer.learn.measures.bootstrap import Bootstrap
from streamer.learn.measures.interval import Interval

RESAMPLES = 200
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Tried:
    """Some workers and a small judge before the large one."""

    workers: tuple[str, ...]
    found: SecondJudge

    @property
    def beside(self) -> Beside:
        """All three beside workers and large judge."""
        return self.found.besides[0]

    @property
    def row(self) -> dict[str, str | float | None]:
        """What is kept of it."""
        beside = self.beside
        return {
            "workers": " + ".join(self.workers),
            "small judge": self.found.small,
            "verdict": self.found.verdict,
            "saves": beside.saves.value,
            "saves at least": beside.saves.low,
            "lead": beside.lead.value,
            "lead at least": beside.lead.low,
            "tickets needed": beside.needed,
        }

    def __str__(self) -> str:
        return (
            f"{self.found.verdict}: saves {_points(self.beside.saves)} %, lead"
            f" {_points(self.beside.lead)} points"
        )


def run(options: argparse.Namespace) -> list[Result]:
    """By large judge, the two that are most often right."""
    log = LlmLog.read(options.data / FILE)
    return [_result(judge, list(tried(log, judge))) for judge in log.by_accuracy[:JUDGES]]


def tried(log: LlmLog, judge: str) -> Iterator[Tried]:
    """The three cheap workers first."""
    seconds = {name: float(taken.mean()) for name, taken in log.seconds.items()}
    prices = Prices(seconds, seconds[judge])
    quicker = [name for name in log.answers if seconds[name] < seconds[judge]]
    sets = [WORKERS] if set(WORKERS) <= set(quicker) else []
    for workers in [*sets, *combinations(quicker, 2)]:
        for small in sorted(set(quicker) - set(workers)):
            found = second_judge(
                log.cases((*workers, small), judge),
                Options(prices, workers, small_judge=small, bootstrap=Bootstrap(RESAMPLES)),
            )
            if found is not None:
                yield Tried(workers, found)


def _result(judge: str, every: list[Tried]) -> Result:
    file = FOLDER / "second_judge" / f"{judge}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(every[0].row))
        writer.writeheader()
        writer.writerows(each.row for each in every)
    cheaper = [each for each in every if each.beside.saves.value >= each.found.cheaper]
    details: dict[str, object] = {
        "tried": len(every),
        **Counter(each.found.verdict for each in every),
        "saves": spread([each.beside.saves.value for each in every]),
        "lead": spread([each.beside.lead.value for each in every]),
        "saves enough by the middle": len(cheaper),
        "of these none the worse by the middle": sum(e.beside.lead.value >= 0 for e in cheaper),
        **{_name(each): str(each) for each in every if len(each.workers) > 2},
        **{
            _name(each): str(each)
            for each in sorted(cheaper, key=lambda e: -e.beside.lead.low)[:SHOWN]
        },
    }
    pays = sum(each.found.verdict == "pays" for each in every)
    return Result(f"second_judge-{judge}", pays, "that pay", None, None, "an answer", details)


def _name(one: Tried) -> str:
    return f"{' + '.join(one.workers)}, then {one.found.small}"


def _points(value: Interval) -> str:
    return f"{100 * value.value:+.1f} [{100 * value.low:+.1f}, {100 * value.high:+.1f}]"
