"""The heads that a judge holds: for each task the configured label set and the one before."""

from collections.abc import Mapping
from pathlib import Path

from streamer.errors import ConfigError, TicketError
from streamer.judging.encoder import Encoder
from streamer.judging.head import Head
from streamer.records.labelset import LabelSet


class Heads:
    """Heads by task, the current one first and at most one older label set after it.

    The older one answers requests that were on their way when the label set changed.
    """

    def __init__(self, heads: Mapping[str, tuple[Head, ...]]) -> None:
        self._heads = dict(heads)

    @classmethod
    def load(cls, folder: Path, tasks: Mapping[str, LabelSet], encoder: Encoder) -> "Heads":
        """Read `<folder>/<task>/<version>/` for each task and its configured label set.

        Raises `ConfigError` where no version has that label set, or a head does not load or
        belongs to another encoder.
        """
        return cls({task: _held(folder / task, want, encoder) for task, want in tasks.items()})

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The label sets of a task, the current one first; empty for an unknown task."""
        return tuple(head.label_set for head in self._heads.get(task, ()))

    def find(self, task: str, label_set: str) -> Head:
        """Raises `TicketError` when no head for this version of the label set is held."""
        for head in self._heads.get(task, ()):
            if head.label_set.version == label_set:
                return head
        raise TicketError(
            "unknown_label_set",
            f"the judge has no head of task {task} for label set {label_set};"
            " train it, restart the judge and replay the dead letter",
        )


def _held(folder: Path, want: LabelSet, encoder: Encoder) -> tuple[Head, ...]:
    newest: dict[str, Head] = {}
    for version in _versions(folder):
        head = Head.load(version)
        newest.setdefault(head.label_set.version, head)
        if want.version in newest and len(newest) > 1:
            break
    current = newest.pop(want.version, None)
    if current is None:
        raise ConfigError(
            f"{folder} has no head for label set {want.version} ({len(want)} labels):"
            f" run `streamer train judge` for task {folder.name}"
        )
    if not _fits(current, encoder):
        raise ConfigError(
            f"{folder / current.version} was trained over another encoder than"
            f" {encoder.folder.name}: run `streamer train judge` for task {folder.name}"
        )
    older = [head for head in newest.values() if _fits(head, encoder)]
    return (current, *older[:1])


def _versions(folder: Path) -> list[Path]:
    numbered = [path for path in folder.glob("[0-9]*") if path.name.isdecimal()]
    return sorted(numbered, key=lambda path: int(path.name), reverse=True)


def _fits(head: Head, encoder: Encoder) -> bool:
    return head.encoder == encoder.digest and head.weights.shape[0] == encoder.dimensions
