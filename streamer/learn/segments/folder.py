"""Where versions of the segments lie: one numbered folder each, never changed again.

<folder>/<n>/segments.json   centroids, names, words, recipe, and the version: a hash of them
<folder>/<n>/model.npz       the classifier that names a segment, where there is one
<folder>/<n>/routing.json    how sure it must be, and every task's routes, where they were chosen
<folder>/<n>/report.json     figures of every segment; ids of examples, no text
<folder>/<n>/report.html     the same as a page, with the examples' texts unless left out
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import orjson

from streamer.backends.artefact import MODEL_FILE
from streamer.backends.gate import Gate
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import latest_version, new_version
from streamer.learn.segments.classifier import Classifier
from streamer.learn.segments.page import page
from streamer.learn.segments.report import Report
from streamer.records.routing import ROUTING_FILE, GateLimits, Routing, TaskRoutes
from streamer.records.segments import Segmentation
from streamer.records.segments_folder import SEGMENTS_FILE, read_segments


def latest(folder: Path) -> Segmentation | None:
    """The newest version; None where there is none. Raises `ConfigError` for a damaged one."""
    number = latest_version(folder.parent, folder.name)
    return read_segments(folder / str(number)) if number else None


def write(
    folder: Path, segmentation: Segmentation, report: Report, classifier: Classifier | None = None
) -> Path:
    """Add a version; returns its folder. Raises `ConfigError` where it can't be written."""
    try:
        with new_version(folder.parent, folder.name) as draft:
            (draft / SEGMENTS_FILE).write_bytes(segmentation.to_json())
            limits = None if classifier is None else _saved(classifier.gate, draft)
            routing = _routing(segmentation, limits, report)
            (draft / ROUTING_FILE).write_bytes(routing.to_json())
            plain = orjson.dumps(_without_text(report), option=orjson.OPT_INDENT_2)
            (draft / "report.json").write_bytes(plain)
            (draft / "report.html").write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"can't write to {folder}: {error.strerror}; name another folder with --out"
        ) from None
    return folder / str(latest_version(folder.parent, folder.name))


def _saved(gate: Gate, folder: Path) -> GateLimits:
    gate.model.save(folder)
    digest = sha256((folder / MODEL_FILE).read_bytes()).hexdigest()
    return GateLimits(gate.at_least, gate.least_known, digest)


def _routing(segmentation: Segmentation, limits: GateLimits | None, report: Report) -> Routing:
    numbers = tuple(segment.number for segment in segmentation.segments)
    tasks = {
        task.task: TaskRoutes(task.label_set, task.versions, task.budget, task.ways)
        for task in report.routed
    }
    return Routing(segmentation.version, numbers, limits, tasks)


def _without_text(report: Report) -> Report:
    return replace(
        report,
        segments=tuple(
            replace(segment, examples=tuple(replace(each, text=None) for each in segment.examples))
            for segment in report.segments
        ),
    )
