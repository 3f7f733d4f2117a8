"""Segments of a mixture of the real tasks that is treated as one stream, on its test tickets.

Three workers learn the union of all labels from one part of the training data. Another part, with
the true label as the judge's, is the log: segments, ways and the classifier are learnt from it.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from bench.mixture import SEED, WORKERS, Labels, examples, first, lead
from bench.result import Result, load
from streamer.backends.linear import LinearModel
from streamer.config import load as load_settings
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.examples import Examples
from streamer.learn.judge.judge_process import JudgeProcess
from streamer.learn.kinds.kind import TrainedModel
from streamer.learn.segments.assigning import assign
from streamer.learn.segments.by_segment import SegmentRoute
from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.segments.finding import FoundSegments, find
from streamer.learn.segments.nearest import Embeddings, Nearest
from streamer.learn.segments.sample import SegmentSample
from streamer.learn.segments.shape import with_shape
from streamer.learn.train.worker import train_worker
from streamer.records.labelset import LabelSet
from streamer.records.segments import GENERAL

NAMES = ("intent", "sentiment", "similar")
EACH = 6000
LOGGED = 0.4
PRICE = 0.001
BUDGETS = {"no judge": 1.5 * PRICE, "judge 10 %": 0.1, "judge 20 %": 0.2}


@dataclass(frozen=True, slots=True)
class Stream:
    """Tickets of all tasks together: what workers said, the task of each, and its embedding."""

    cases: Dataset
    texts: tuple[str, ...]
    tasks: Labels
    embeddings: Embeddings


def run(options: argparse.Namespace) -> list[Result]:
    """Agreement of routed and unrouted ways, and how well a segment is named by its words."""
    settings = load_settings(Path("streamer.yaml"))
    process = JudgeProcess(settings.path(settings.judge.python))
    log, test, encoder = _streams(options.data, process)
    material = _material(log)
    found = find(material, log.embeddings, encoder, seed=SEED)
    return list(_results(log, test, found))


def _streams(folder: Path, process: JudgeProcess) -> tuple[Stream, Stream, str]:
    train, log, test = [], [], []
    for name in NAMES:
        whole = examples(folder, name, "train")
        kept, of_log = first(whole, EACH).split(LOGGED, SEED)
        train.append(kept)
        log.append(of_log)
        test.append(examples(folder, name, "test"))
    labels = LabelSet(tuple(sorted({label for part in train for label in part.labels})))
    joined = Examples(
        tuple(text for part in train for text in part.texts),
        tuple(label for part in train for label in part.labels),
    )
    models = {
        name: train_worker(kind, joined, labels, seed=SEED + 1).model
        for name, kind in WORKERS.items()
    }
    texts = [text for part in (*log, *test) for text in part.texts]
    vectors, encoder = process.embed(texts, lambda done, total: None)
    vectors = with_shape(vectors, texts)
    cut = sum(map(len, log))
    return (
        _stream(log, models, labels, vectors[:cut]),
        _stream(test, models, labels, vectors[cut:]),
        encoder,
    )


def _stream(
    parts: Sequence[Examples],
    models: Mapping[str, TrainedModel],
    labels: LabelSet,
    vectors: Embeddings,
) -> Stream:
    texts = tuple(text for part in parts for text in part.texts)
    judge = np.array([labels.index[label] for part in parts for label in part.labels])
    worker_predictions = tuple(
        Predictions.of(model.probabilities(texts)) for model in models.values()
    )
    ids = tuple(f"T-{number:06}" for number in range(len(texts)))
    cases = Dataset(
        "mixture",
        labels.labels,
        tuple(models),
        worker_predictions,
        Predictions(judge, None),
        judge,
        ids,
    )
    return Stream(cases, texts, np.repeat(np.arange(len(parts)), list(map(len, parts))), vectors)


def _material(log: Stream) -> SegmentSample:
    times = dict.fromkeys(log.cases.ids, "2026-01-01T00:00:00Z")
    return SegmentSample.of(times, dict(zip(log.cases.ids, log.texts, strict=True)), len(log.texts))


def _results(log: Stream, test: Stream, found: FoundSegments) -> Iterator[Result]:
    parts = found.segmentation.segments
    centroids = np.array([one.centroid for one in parts], np.float32)
    near = Nearest.of(test.embeddings, centroids)
    far = np.array([one.far for one in parts])
    logged = Nearest(found.segment_ids, found.distances).within(far)
    classifier = learn_classifier(log.texts, found.segment_ids, len(parts), SEED)
    if classifier is None:
        raise SystemExit("a segment is too small for a classifier: change EACH")
    named = classifier.segment_ids(test.texts)
    yield _named(test, found, near, named, classifier.gate.model)
    routes = {"centroid": near.within(far), "words": named}
    for name, budget in BUDGETS.items():
        yield _routed(name, budget, log, logged, test, near.segment_ids, routes, len(parts))


def _named(
    test: Stream, found: FoundSegments, near: Nearest, named: Labels, model: LinearModel
) -> Result:
    sure = named != GENERAL
    with TemporaryDirectory() as folder:
        model.save(Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return Result(
        "segments-classifier",
        float((named == near.segment_ids)[sure].mean()),
        "of the sure test tickets, as the nearest centroid",
        0.95,
        None,
        ">= 0.95",
        {
            "sure": float(sure.mean()),
            "bytes": size,
            "segments": len(_names(found)),
            "names": _names(found),
            "silhouette": {str(one.size): round(one.silhouette, 3) for one in found.tried},
            "stability": {str(one.size): round(one.stability, 3) for one in found.tried},
            "adjusted Rand index with the tasks": float(
                adjusted_rand_score(test.tasks, near.segment_ids)
            ),
            "test tickets": len(named),
            "load": load(),
        },
    )


def _names(found: FoundSegments) -> list[str]:
    return [one.name for one in found.segmentation.segments]


def _routed(
    name: str,
    budget: float,
    log: Stream,
    logged: Labels,
    test: Stream,
    nearest: Labels,
    routes: Mapping[str, Labels],
    segments: int,
) -> Result:
    cases = test.cases
    made = assign(log.cases, logged, segments, dict.fromkeys(cases.workers, PRICE), budget)
    single = _same(made.unrouted(cases), cases)
    told = {route: made.accepted(cases, places) for route, places in routes.items()}
    same = {route: _same(accepted, cases) for route, accepted in told.items()}
    alone = np.array(
        [predictions.label_ids == cases.judge.label_ids for predictions in cases.worker_predictions]
    )
    best = [alone[:, nearest == at].mean(axis=1).argmax() for at in range(segments)]
    oracle = alone[np.array(best)[nearest], np.arange(len(cases))]
    return Result(
        f"segments-{name.replace(' ', '-').replace('%', 'percent')}",
        float(same["words"].mean()),
        "agreement with the judge (here the truth)",
        float(single.mean()),
        None,
        "lead over one way for all",
        {
            "general": _way(made.general, cases),
            "ways": {str(at): _way(way, cases) for at, way in made.routes.items()},
            **{f"lead by {route}": lead(one - single) for route, one in same.items()},
            "judge rate, one way": float((made.unrouted(cases) == ABSTAINED).mean()),
            **{
                f"judge rate by {route}": float((accepted == ABSTAINED).mean())
                for route, accepted in told.items()
            },
            "workers alone": dict(zip(cases.workers, alone.mean(axis=1).tolist(), strict=True)),
            "best worker of each segment, known afterwards": float(oracle.mean()),
            "any worker right": float(alone.any(axis=0).mean()),
            "by task": {
                task: {
                    "one way": float(single[test.tasks == at].mean()),
                    "by words": float(same["words"][test.tasks == at].mean()),
                }
                for at, task in enumerate(NAMES)
            },
            "test tickets": len(cases),
        },
    )


def _same(accepted: Labels, cases: Dataset) -> NDArray[np.float64]:
    return ((accepted == ABSTAINED) | (accepted == cases.judge.label_ids)).astype(np.float64)


def _way(way: SegmentRoute, cases: Dataset) -> str:
    if way.rule is None:
        return "judge"
    names = [cases.workers[at] for at in way.workers]
    said = way.rule.described(names)
    return f"{said.kind} {'+'.join(names)} {said.at_least or said.alpha or ''}".strip()
