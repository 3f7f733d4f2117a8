"""A Dockerfile as the tests look at it: its instructions, by stage."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.k8s.chart import ROOT

IMAGES = ROOT / "k8s" / "images"
NAMES = tuple(sorted(path.parent.name for path in IMAGES.glob("*/Dockerfile")))


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, with its lines joined."""

    word: str
    rest: str


def path_of(name: str) -> Path:
    """The Dockerfile of an image."""
    return IMAGES / name / "Dockerfile"


def stages(name: str) -> list[list[Instruction]]:
    """What an image is built by: stages, each from its FROM on."""
    found: list[list[Instruction]] = []
    for line in re.sub(r"\\\n\s*", "", _without_comments(name)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append([])
        if found and word:
            found[-1].append(Instruction(word, rest))
    return found


def arguments(name: str) -> dict[str, str]:
    """The build arguments and what they are by default."""
    return dict(re.findall(r"^ARG (\w+)=(\S+)$", _without_comments(name), re.MULTILINE))


def _without_comments(name: str) -> str:
    return re.sub(r"^#.*\n", "", path_of(name).read_text(), flags=re.MULTILINE)
