"""Where versions of the segments lie: one numbered folder each, never changed again.

<folder>/<n>/segments.json   centroids, names, words, recipe, and the version: a hash of them
<folder>/<n>/model.npz       the classifier that names a segment, where there is one
<folder>/<n>/routing.json    how sure it must be, and the ways of every task, where they were chosen
<folder>/<n>/report.json     figures of every segment; ids of examples, no text
<folder>/<n>/report.html     the same as a page, with the examples' texts unless left out
"""

from dataclasses import replace
from pathlib import Path

import orjson

from streamer.backends.experts import Gate
from streamer.backends.linear import LinearModel
from streamer.backends.ngrams import words
from streamer.errors import ConfigError
from streamer.learn.repository import latest_version, new_version
from streamer.learn.segments.classifier import Classifier
from streamer.learn.segments.page import page
from streamer.learn.segments.report import Report
from streamer.records.segments import Segmentation

_FILE = "segments.json"
_ROUTING = "routing.json"


def latest(folder: Path) -> Segmentation | None:
    """The newest version; None where there is none. Raises `ConfigError` for a damaged one."""
    number = latest_version(folder.parent, folder.name)
    return read(folder / str(number)) if number else None


def read(version: Path) -> Segmentation:
    """Raises `ConfigError` where the folder of a version can't be read."""
    path = version / _FILE
    try:
        return Segmentation.from_json(path.read_bytes())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(
            f"{path}: can't be read as segments ({error}); restore it, or delete the version's"
            " folder and fit again"
        ) from None


def read_gate(version: Path) -> Gate:
    """What names a ticket's segment. Raises `ConfigError` where the version has none, and
    `ModelError` where it is damaged.
    """
    path = version / _ROUTING
    try:
        at_least = orjson.loads(path.read_bytes())["at_least"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path}: can't be read ({error}); fit the segments again") from None
    if at_least is None:
        raise ConfigError(
            f"{version}: has no classifier that names segments by words: fit again, with more"
            " tickets or another --k"
        )
    return Gate(LinearModel.load(version, words), float(at_least))


def write(
    folder: Path, segmentation: Segmentation, report: Report, classifier: Classifier | None = None
) -> Path:
    """Add a version; returns its folder. Raises `ConfigError` where it can't be written."""
    try:
        with new_version(folder.parent, folder.name) as draft:
            (draft / _FILE).write_bytes(segmentation.to_json())
            (draft / _ROUTING).write_bytes(_routing(report))
            if classifier is not None:
                classifier.model.save(draft)
            said = orjson.dumps(_without_text(report), option=orjson.OPT_INDENT_2)
            (draft / "report.json").write_bytes(said)
            (draft / "report.html").write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"can't write to {folder}: {error.strerror}; name another folder with --out"
        ) from None
    return folder / str(latest_version(folder.parent, folder.name))


def _routing(report: Report) -> bytes:
    at_least = None if report.classifier is None else report.classifier.at_least
    tasks = {
        one.task: {"budget": one.budget, "general": one.general, "segments": one.ways}
        for one in report.routed
    }
    said = {"version": report.version, "at_least": at_least, "tasks": tasks}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _without_text(report: Report) -> Report:
    return replace(
        report,
        segments=tuple(
            replace(one, examples=tuple(replace(each, text=None) for each in one.examples))
            for one in report.segments
        ),
    )
