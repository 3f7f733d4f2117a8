"""The authored material, read from the text files of ``grammar/``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Sections = Mapping[str, Sequence[str]]

INTENTS = (
    "account_change",
    "billing_invoice",
    "bug_report",
    "data_export",
    "feature_request",
    "how_to",
    "integration_api",
    "login_access",
    "performance",
    "refund",
)


@dataclass(frozen=True, slots=True)
class Grammar:
    """Lines by section: per intent, for moods (``affect``), for the frame (``common``), slots."""

    intents: Mapping[str, Sections]
    affect: Sections
    common: Sections
    slots: Sections

    @classmethod
    def read(cls, folder: Path) -> "Grammar":
        """Read every file of the folder; raises ValueError for a line outside any section."""
        return cls(
            intents={name: _sections(folder / f"{name}.txt") for name in INTENTS},
            affect=_sections(folder / "affect.txt"),
            common=_sections(folder / "common.txt"),
            slots=_sections(folder / "slots.txt"),
        )


def _sections(path: Path) -> Sections:
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        elif line.strip():
            if current is None:
                raise ValueError(f"{path.name}: a line before the first section: {line!r}")
            current.append(line)
    return sections
