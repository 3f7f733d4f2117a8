"""A log of fourteen language models' labels: what three cheap ones and a strong judge come to.

Labels only and no split, so whatever is learnt is cross-fitted in five folds.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bench.llm_log import LlmLog
from bench.result import FOLDER, Result
from streamer.decide.candidate import likeliest
from streamer.decide.predictions import ABSTAINED
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.files import write
from streamer.learn.evaluation.options import Options, Prices
from streamer.learn.measures.shares import committees, figures

FILE = "llm_answers_complaints.csv.gz"
WORKERS = ("gpt_4o_mini", "claude_3_5_haiku", "gemini-2.0-flash-lite")
JUDGE = "gpt-o1"
RATES = (0.05, 0.10, 0.139, 0.208)
FOLDS = 5

Labels = NDArray[np.int64]


def llm_answers(folder: Path) -> Iterator[Result]:
    """Vote rules, and a router that looks at who agrees with whom and on what."""
    log = LlmLog.read(folder / FILE)
    cases = log.cases(WORKERS, JUDGE)
    answers = {
        n: predictions.label_ids
        for n, predictions in zip(WORKERS, cases.worker_predictions, strict=True)
    }
    settings = [(str(some), some.accepted(answers)) for some in committees(WORKERS)]
    label, doubt = _router(cases)
    for rate in RATES:
        least_sure = np.argsort(-doubt, kind="stable")[: round(rate * len(cases))]
        accepted = label.copy()
        accepted[least_sure] = ABSTAINED
        settings.append((f"router at {rate:.1%}", accepted))
    for name, accepted in settings:
        yield _result(name, accepted, cases)
    taken = {name: float(seconds.mean()) for name, seconds in log.seconds.items()}
    prices = Prices(taken, taken[JUDGE])
    options = Options(costs=prices, latencies=prices)
    write(evaluate(cases, options), FOLDER / "quality" / "complaints")


def _router(cases: Dataset) -> tuple[Labels, NDArray[np.float64]]:
    """The label that most name, and the chance that the judge differs, from the other folds."""
    said = likeliest(cases.worker_predictions).label_ids
    pairs = [
        one.label_ids == other.label_ids for one, other in combinations(cases.worker_predictions, 2)
    ]
    named = [predictions.label_ids == said for predictions in cases.worker_predictions]
    inputs = np.column_stack([*pairs, *named, np.eye(len(cases.labels))[said]])
    differs = said != cases.judge.label_ids
    doubt, fold = np.zeros(len(said)), np.arange(len(said)) % FOLDS
    for held in range(FOLDS):
        model = LogisticRegression(C=0.3, max_iter=500)
        model.fit(inputs[fold != held], differs[fold != held])
        doubt[fold == held] = model.predict_proba(inputs[fold == held])[:, 1]
    return said, doubt


def _result(name: str, accepted: Labels, cases: Dataset) -> Result:
    found = figures(accepted, cases.judge.label_ids, cases.gold)
    judge_only = float((cases.judge.label_ids == cases.gold).mean())
    return Result(
        f"quality-complaints-{name.replace(' ', '-').replace('%', '')}",
        found.accuracy.value,
        "accuracy",
        judge_only,
        found.accuracy.value / judge_only,
        "",
        {
            "accuracy": str(found.accuracy),
            "fidelity": str(found.fidelity),
            "judge rate": 1 - found.coverage.value,
            "tickets": len(cases),
        },
    )
