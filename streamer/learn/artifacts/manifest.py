"""The note beside each trained worker: of what it was made, and how good it was."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from streamer.learn.kinds.kind import Settings
from streamer.learn.measures.scores import Scores

MANIFEST = "manifest.json"
_HEAD = 64
_LIBRARIES = ("numpy", "scipy", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a worker was aligned to the judge, beside what every recipe has.

    `judge` is the version whose answers were learnt, of tickets before `until` that were drawn by
    the shares `drawn`; `judged` is a hash of texts, answers and weights, `examples` one of the
    labelled examples beside them. With experts, `segments` is the version of the segments and
    `gate` a hash of what names them.
    """

    loss: str
    judge: str | None
    until: str
    drawn: Mapping[str, float]
    judged: str
    examples: str | None
    segments: str | None
    gate: str | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what is learnt: equal recipes give equal models.

    `label_set` is the version of the ordered labels, `code` the hash of the kind's source.
    `base` is the hash of the model that was taught, None where none was. `alignment` is None where
    labelled examples alone were learnt.
    """

    task: str
    kind: str
    label_set: str
    labels: tuple[str, ...]
    data_sha256: str
    rows: int
    seed: int
    code: str
    base: str | None = None
    alignment: Alignment | None = None

    @property
    def digest(self) -> str:
        return sha256(orjson.dumps(asdict(self))).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """`recipe` and what came of it; `held_out` scores a model that didn't see those rows."""

    recipe: Recipe
    settings: Settings
    held_out: Scores
    libraries: dict[str, str]
    created: str

    @classmethod
    def new(cls, recipe: Recipe, settings: Settings, held_out: Scores) -> "Manifest":
        libraries = {name: version(name) for name in _LIBRARIES}
        libraries["python"] = platform.python_version()
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(recipe, settings, held_out, libraries, created)

    def write(self, folder: Path) -> None:
        body = {"digest": self.recipe.digest, **asdict(self)}
        (folder / MANIFEST).write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """The manifest of a version folder; None where there is none that this release reads."""
        try:
            body = orjson.loads((folder / MANIFEST).read_bytes())
            del body["digest"]
            return cls.from_dict(body)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Manifest":
        """Raises `KeyError` or `TypeError` for what is no manifest of this release."""
        given = raw["recipe"]
        aligned = given.get("alignment")
        nested = {
            "labels": tuple(given["labels"]),
            "alignment": None if aligned is None else Alignment(**aligned),
        }
        recipe = Recipe(**(given | nested))
        return cls(**(raw | {"recipe": recipe, "held_out": Scores(**raw["held_out"])}))


def digest_in(folder: Path) -> str | None:
    """The digest of a version's recipe, whatever made it; None where it has no manifest."""
    try:
        digest = orjson.loads((folder / MANIFEST).read_bytes())["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(digest)


def is_manifest(file: Path) -> bool:
    """Whether a file is one of ours, of any release, and even where its end is missing."""
    try:
        return b'"digest"' in file.read_bytes()[:_HEAD]
    except OSError:
        return False
