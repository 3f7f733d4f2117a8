"""Experts per segment beside one set of workers for all, on a mixture of the real tasks.

Both learn the judge's labels on the same tickets, with the union of all tasks' labels. Segments are
found in the log with nothing said about the tasks. Of the log, one part teaches and another chooses
ways and thresholds; every figure is of the test splits.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from bench.mixture import SEED, TASKS, WORKERS, Labels, Mixture, Stream, lead, mixture
from bench.result import Result, load
from streamer.backends.gate import Gate
from streamer.config import load as load_settings
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.votes import VoteRule
from streamer.learn.align.training import Aligned, Loss, align_worker
from streamer.learn.data.dataset import Dataset
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.segments.assigning import ChosenRoutes, assign
from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.segments.finding import FoundSegments, find
from streamer.records.labelset import LabelSet

EACH = 6000
JUDGE_SHARE = 0.3
DESIGN_SHARE = 0.25
PRICE = 0.001
BUDGET = 0.2
BUDGETS = tuple(np.arange(0.005, BUDGET + 0.001, 0.005).tolist())
VOTE = VoteRule("unanimity", len(WORKERS))


@dataclass(frozen=True, slots=True)
class Sets:
    """Workers by kind: `pooled` ones, and `experts` per segment that learnt the same tickets."""

    pooled: Mapping[str, Aligned]
    experts: Mapping[str, Aligned]


def run(options: argparse.Namespace) -> list[Result]:
    """Agreement with the judge, the judge's calls at no less of it, and what the vote gained."""
    settings = load_settings(Path("streamer.yaml"))
    process = JudgeProcess(settings.path(settings.judge.python))
    whole = mixture(options.data, list(TASKS), EACH, JUDGE_SHARE, process)
    rows = np.random.default_rng(SEED).permutation(len(whole.log))
    cut = int(len(rows) * DESIGN_SHARE)
    design, train = whole.log[np.sort(rows[:cut])], whole.log[np.sort(rows[cut:])]
    found = find(train.material, train.embeddings, whole.encoder, seed=SEED)
    classifier = learn_classifier(
        train.texts, found.segment_ids, len(found.segmentation.segments), SEED
    )
    if classifier is None:
        raise SystemExit("a segment is too small for a classifier: change EACH")
    gate = classifier.gate
    results = [_found(whole, found, gate)]
    for loss in ("hard", "kl"):
        sets = _sets(train, whole.labels, gate, loss)
        results += _agreements(whole, sets, gate, loss)
        results += _calls(whole, design, sets, gate, loss)
    return results


def _sets(train: Stream, labels: LabelSet, gate: Gate, loss: Loss) -> Sets:
    def aligned(gate: Gate | None) -> dict[str, Aligned]:
        return {
            name: align_worker(kind, train.judged, labels, loss=loss, gate=gate, seed=SEED)
            for name, kind in WORKERS.items()
        }

    return Sets(aligned(None), aligned(gate))


def _found(whole: Mixture, found: FoundSegments, gate: Gate) -> Result:
    test, parts = whole.test, found.segmentation.segments
    centroids = np.array([one.centroid for one in parts], np.float32)
    nearest = ((test.embeddings[:, None] - centroids[None]) ** 2).sum(axis=2).argmin(axis=1)
    named = gate.names(test.texts)
    sure = named.segment_ids >= 0
    return Result(
        "aligned-segments",
        float((named.segment_ids == nearest)[sure].mean()),
        "of the sure test tickets, as the nearest centroid",
        0.95,
        None,
        ">= 0.95",
        {
            "segments": [one.name for one in parts],
            "adjusted Rand index with the tasks": adjusted_rand_score(test.tasks, nearest),
            "silhouette": {str(one.size): round(one.silhouette, 3) for one in found.tried},
            "stability": {str(one.size): round(one.stability, 3) for one in found.tried},
            "sure": float(sure.mean()),
            "far": float(named.far.mean()),
            "judge's accuracy": float((test.judge.argmax(axis=1) == test.gold).mean()),
            "test tickets": len(test),
            "load": load(),
        },
    )


def _agreements(whole: Mixture, sets: Sets, gate: Gate, loss: Loss) -> Iterator[Result]:
    test, judge = whole.test, whole.test.judge.argmax(axis=1)
    pooled, experts = (_cases(test, whole.labels, some) for some in (sets.pooled, sets.experts))
    for place, name in enumerate(WORKERS):
        before, after = (
            cases.worker_predictions[place].label_ids == judge for cases in (pooled, experts)
        )
        yield Result(
            f"aligned-{loss}-{name.replace('_', '-')}",
            float(after.mean()),
            "agreement with the judge",
            float(before.mean()),
            None,
            "6 points over one set for all",
            {
                "gain": lead(after.astype(np.float64) - before),
                "by task": _by_task(test, before, after),
                "bytes": [_bytes(some[name]) for some in (sets.pooled, sets.experts)],
                "experts": sorted(sets.experts[name].experts),
                "distance to the judge": [
                    _distance(cases.worker_predictions[place], test) for cases in (pooled, experts)
                ],
            },
        )
    yield _vote(f"aligned-{loss}-vote", test, pooled, experts)
    yield _regret(f"aligned-{loss}-regret", test, experts, gate)


def _by_task(test: Stream, before: Labels, after: Labels) -> dict[str, list[float]]:
    """Before, after, and the gain with its interval."""
    found = {}
    for place, task in enumerate(TASKS):
        mine = test.tasks == place
        gain = lead((after.astype(np.float64) - before)[mine])
        found[task] = [float(before[mine].mean()), float(after[mine].mean()), *gain]
    return found


def _vote(name: str, test: Stream, pooled: Dataset, experts: Dataset) -> Result:
    """Whether the vote got better, and not the workers alone: who learns the same errs alike."""
    judge = test.judge.argmax(axis=1)
    both = [VOTE.decide(cases.worker_predictions).label_ids for cases in (pooled, experts)]
    accepted = [label_ids != ABSTAINED for label_ids in both]
    right = [(label_ids == judge) & there for label_ids, there in zip(both, accepted, strict=True)]
    return Result(
        name,
        float(right[1].mean()),
        "accepted by all three, and as the judge",
        float(right[0].mean()),
        None,
        "more than one set for all",
        {
            "gain": lead(right[1].astype(np.float64) - right[0]),
            "accepted": [float(there.mean()) for there in accepted],
            "of those as the judge": [
                float(some.sum() / there.sum()) for some, there in zip(right, accepted, strict=True)
            ],
            "two workers wrong alike, of one wrong": [
                _wrong_alike(cases, judge) for cases in (pooled, experts)
            ],
            "by task": _by_task(test, right[0], right[1]),
        },
    )


def _regret(name: str, test: Stream, experts: Dataset, gate: Gate) -> Result:
    """Of the best single worker, beside who knew afterwards the best one of each segment."""
    judge, places = test.judge.argmax(axis=1), gate.names(test.texts).segment_ids
    right = np.array([predictions.label_ids == judge for predictions in experts.worker_predictions])
    by_segment = np.array([right[:, places == at].mean(axis=1) for at in np.unique(places)])
    sizes = np.array([(places == at).mean() for at in np.unique(places)])
    oracle = float(sizes @ by_segment.max(axis=1))
    best = float(right.mean(axis=1).max())
    return Result(
        name,
        oracle - best,
        "agreement lost by one worker for all segments",
        None,
        None,
        "reported",
        {
            "best worker of each segment, known afterwards": oracle,
            "best worker": best,
            "any worker right": float(right.any(axis=0).mean()),
        },
    )


def _calls(whole: Mixture, design: Stream, sets: Sets, gate: Gate, loss: Loss) -> Iterator[Result]:
    """The judge's calls of both at the agreement that one set for all reaches for `BUDGET`."""
    test = whole.test
    cases = {
        name: [_cases(some, whole.labels, workers) for some in (design, test)]
        for name, workers in (("pooled", sets.pooled), ("experts", sets.experts))
    }
    nowhere = np.full(len(design), -1)
    one = assign(cases["pooled"][0], nowhere, 0, _prices(), BUDGET)
    wanted = design.agreed(one.unrouted(cases["pooled"][0])).mean()
    places = [gate.names(some.texts).segment_ids for some in (design, test)]
    many = _cheapest(cases["experts"][0], places[0], design, float(wanted))
    before = one.unrouted(cases["pooled"][1])
    after = many.accepted(cases["experts"][1], places[1])
    asked = [label_ids == ABSTAINED for label_ids in (before, after)]
    agreed = [test.agreed(label_ids).astype(np.float64) for label_ids in (before, after)]
    gold = [_right(label_ids, test) for label_ids in (before, after)]
    yield Result(
        f"aligned-{loss}-judge-calls",
        float(asked[1].mean()),
        "of the tickets go to the judge",
        float(asked[0].mean()),
        float(asked[1].mean() / asked[0].mean()),
        "<= 0.8 at no less accuracy",
        {
            "fewer": lead(asked[1].astype(np.float64) - asked[0]),
            "agreement": [float(some.mean()) for some in agreed],
            "agreement gained": lead(agreed[1] - agreed[0]),
            "accuracy": [float(some.mean()) for some in gold],
            "accuracy gained": lead(gold[1] - gold[0]),
            "judge rate by task": _by_task(test, asked[0], asked[1]),
            "ways of their own": len(many.routes),
            "test tickets": len(test),
        },
    )


def _cheapest(cases: Dataset, places: Labels, design: Stream, wanted: float) -> ChosenRoutes:
    """The ways at the least budget that agree as often, on the tickets that choose."""
    for budget in BUDGETS:
        made = assign(cases, places, int(places.max()) + 1, _prices(), budget)
        if design.agreed(made.accepted(cases, places)).mean() >= wanted:
            break
    return made


def _prices() -> dict[str, float]:
    return dict.fromkeys(WORKERS, PRICE)


def _right(label_ids: Labels, stream: Stream) -> NDArray[np.float64]:
    """Published labels that are true."""
    said = np.where(label_ids == ABSTAINED, stream.judge.argmax(axis=1), label_ids)
    return np.asarray(said == stream.gold, np.float64)


def _cases(stream: Stream, labels: LabelSet, workers: Mapping[str, Aligned]) -> Dataset:
    answers = {name: made.model.probabilities(stream.texts) for name, made in workers.items()}
    return stream.cases(labels, answers)


def _wrong_alike(cases: Dataset, judge: Labels) -> float:
    """Over all pairs: of tickets that one gets wrong, those on which the other says the same."""
    label_ids = [predictions.label_ids for predictions in cases.worker_predictions]
    pairs = [(one, other) for one in label_ids for other in label_ids if one is not other]
    return float(np.mean([(one == other)[one != judge].mean() for one, other in pairs]))


def _distance(predictions: Predictions, stream: Stream) -> float:
    assert predictions.probabilities is not None  # these workers give them
    return float(0.5 * np.abs(predictions.probabilities - stream.judge).sum(axis=1).mean())


def _bytes(made: Aligned) -> int:
    with TemporaryDirectory() as folder:
        made.model.save(Path(folder))
        return sum(path.stat().st_size for path in Path(folder).rglob("*.npz"))
