"""The closed, ordered label set of a task."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

LONGEST = 200
# Joiners shape letters and emoji; whatever else is invisible only makes labels look alike.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Ordered labels; `version` is a hash of them, `index` gives a label's place.

    The order is part of the contract: every probability vector, of workers and judge alike,
    is read by it, so two sets with the same labels in another order are different versions.
    """

    labels: tuple[str, ...]
    version: str = field(init=False)
    index: dict[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "version", _version(self.labels))
        object.__setattr__(self, "index", {name: i for i, name in enumerate(self.labels)})

    def __len__(self) -> int:
        return len(self.labels)


def unfit(labels: Sequence[str]) -> str | None:
    """Why these can't be a label set and what to do, else None.

    Labels are lines of Triton's label files and stand in metrics, on pages and in prompts.
    """
    for label in labels:
        if why := _unfit(label):
            return f"the label {label[:40]!r} {why}"
    if doubles := sorted({label for label in labels if labels.count(label) > 1}):
        return f"labels twice in the list: {', '.join(doubles)}"
    composed = [unicodedata.normalize("NFC", label) for label in labels]
    if alike := sorted({form for form in composed if composed.count(form) > 1}):
        return f"the label {alike[0]!r} is there in two forms of Unicode: keep one of them"
    return None


def _unfit(label: str) -> str | None:
    if not label:
        return "is empty: give it a name, or leave it out"
    if label != label.strip():
        return "begins or ends with a space: take it away"
    if len(label) > LONGEST:
        return f"has {len(label)} characters: use {LONGEST} at most"
    odd = next((sign for sign in label if not (sign.isprintable() or sign in _JOINERS)), None)
    if odd is None:
        return None
    return f"has the character U+{ord(odd):04X}, which is invisible or breaks a line: leave it out"


def _version(labels: Sequence[str]) -> str:
    """A hash of the labels in their order."""
    if any("\0" in label for label in labels):
        # Joined by NUL, these would have the version of other labels.
        counted = "".join(f"{len(label)}:{label}" for label in labels)
        return blake2b(counted.encode(), digest_size=6, person=b"counted").hexdigest()
    return blake2b("\0".join(labels).encode(), digest_size=6).hexdigest()
