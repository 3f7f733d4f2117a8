"""The Triton model repository: one folder per worker, one numbered folder per version.

<repository>/<model>/config.pbtxt   what Triton serves: TEXT in, PROBS out
<repository>/<model>/labels.txt     the ordered label set, one per line
<repository>/<model>/1/             the trained artefacts of version 1, never changed again
"""

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import streamer.backends
from streamer.errors import ConfigError
from streamer.learn.artifacts.manifest import MANIFEST, is_manifest

_CONFIG = """\
name: {name}
backend: {kind}
max_batch_size: {max_batch_size}
input [ {{ name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] }} ]
output [ {{ name: "PROBS" data_type: TYPE_FP32 dims: [ {size} ] label_filename: "labels.txt" }} ]
dynamic_batching {{ }}
instance_group [ {{ kind: KIND_CPU count: {instances} }} ]
"""
_POLICY = re.compile(
    r"^[ \t]*version_policy\s*:?\s*\{(?:[^{}]|\{[^{}]*\})*\}[ \t]*\n?", re.MULTILINE
)
_KINDS = Path(streamer.backends.__path__[0])
_BACKEND = re.compile(r'^backend: "(\w+)"$', re.MULTILINE)
_TOLD = ("config.pbtxt", "labels.txt")
_LOADED = "version_policy {{ specific {{ versions: [ {versions} ] }} }}\n"
_SERVED = "version_policy {{ latest {{ num_versions: {served} }} }}\n"


def write_model(
    repository: Path,
    name: str,
    kind: str,
    labels: Sequence[str],
    *,
    version: int | None = 1,
    parameters: Mapping[str, str] | None = None,
    max_batch_size: int = 4096,
    instances: int = 1,
    served: int = 1,
) -> Path:
    """Describe a worker to Triton and return its folder.

    `kind` names the folder of its code under streamer/backends; `parameters` reach that code as
    strings. `version` is made as an empty folder, for kinds without artefacts; with None there is
    none yet, and `new_version` makes the first. Triton loads the `served` newest versions, or
    those that `load_versions` chose before. Raises ConfigError for an impossible label set.
    """
    _check_labels(name, labels)
    folder = repository / name
    folder.mkdir(parents=True, exist_ok=True)
    config = _CONFIG.format(
        name=_quoted(name),
        kind=_quoted(kind),
        max_batch_size=max_batch_size,
        size=len(labels),
        instances=instances,
    )
    if chosen := _chosen_before(folder / "config.pbtxt"):
        config += chosen
    elif served > 1:
        config += _SERVED.format(served=served)
    for key, value in sorted((parameters or {}).items()):
        config += (
            f"parameters {{ key: {_quoted(key)} value {{ string_value: {_quoted(value)} }} }}\n"
        )
    _replace(folder / "labels.txt", "".join(f"{label}\n" for label in labels))
    _replace(folder / "config.pbtxt", config)
    if version is not None:
        (folder / str(version)).mkdir(exist_ok=True)
    return folder


@contextmanager
def new_version(repository: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder for artefacts; it becomes the next version when the block ends.

    A block that raises leaves nothing behind. Versions that exist are never touched: a server may
    be reading them.
    """
    with drafted(repository / name) as draft:
        yield draft
        draft.rename(repository / name / str(latest_version(repository, name) + 1))


@contextmanager
def drafted(folder: Path) -> Iterator[Path]:
    """Yield an empty folder within `folder`, to be filled and renamed, or it goes again.

    Triton takes only numbers for versions, so that it never sees one half written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder))
    draft.chmod(0o755)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):  # it holds something
            folder.rmdir()


def foreign(folder: Path) -> str | None:
    """The first thing in a model's folder that was not made here; None where all of it was.

    What was made here has a manifest in each numbered version, beside what Triton is told. Of a
    model for several tasks that is one for each, in a folder of its own. Before the first version
    Triton may be told of a kind of ours, as it is in a checkout.
    """
    there = sorted(path for path in _entries(folder) if not path.name.startswith("."))
    versions = [path for path in there if path.name.isdecimal()]
    told = _TOLD if versions or _of_our_kind(folder / "config.pbtxt") else ()
    strange = [path for path in there if path not in versions and path.name not in told]
    strange += [version for version in versions if not _made_here(version)]
    return min((path.name for path in strange), default=None)


def problem(folder: Path) -> str | None:
    """Why no version can be added to a model's folder; None where one can."""
    if name := foreign(folder):
        return (
            f"{folder} holds {name}, which was not trained here, so nothing is written there: name"
            " another folder (such as judge.model: models/taught) or model to train, or leave a"
            " worker's `kind` out to serve what is there"
        )
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return f"{folder} can't be written to ({there}): correct its rights, or name another folder"
    return None


def check_ours(folder: Path) -> None:
    """Raises `ConfigError` where no version can be added to a model's folder."""
    if why := problem(folder):
        raise ConfigError(why)


def latest_version(repository: Path, name: str) -> int:
    """The highest version of a model in the repository, 0 where it has none."""
    folders = (repository / name).glob("[0-9]*")
    return max((int(f.name) for f in folders if f.name.isdecimal()), default=0)


def load_versions(repository: Path, name: str, versions: Collection[str]) -> bool:
    """Have Triton load these versions of a model and no other; returns whether that is new to it.

    Raises `ConfigError` where the repository has not all of them.
    """
    folder = repository / name
    config = folder / "config.pbtxt"
    for version in versions:
        if not (folder / version).is_dir() or not config.is_file():
            raise ConfigError(
                f"{repository} has no version {version} of {name}: name the folder that Triton"
                " serves under triton.models"
            )
    was = config.read_text(encoding="utf-8")
    policy = _LOADED.format(versions=", ".join(sorted(versions, key=int)))
    text = _POLICY.sub("", was).rstrip("\n") + "\n" + policy
    if text != was:
        _replace(config, text)
    return text != was


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _of_our_kind(config: Path) -> bool:
    backend = _BACKEND.search(config.read_text(encoding="utf-8")) if config.is_file() else None
    return backend is not None and (_KINDS / backend[1] / "model.py").is_file()


def _made_here(version: Path) -> bool:
    return any(map(is_manifest, [*version.glob(MANIFEST), *version.glob(f"*/{MANIFEST}")]))


def _chosen_before(config: Path) -> str:
    """The policy of versions that were chosen one by one; empty where there is none."""
    policy = _POLICY.search(config.read_text(encoding="utf-8")) if config.is_file() else None
    return policy[0].rstrip("\n") + "\n" if policy and "specific" in policy[0] else ""


def _check_labels(name: str, labels: Sequence[str]) -> None:
    if len(set(labels)) != len(labels) or len(labels) < 2:
        raise ConfigError(f"model {name}: give at least two labels, each of them once")
    for label in labels:
        if not label or label != label.strip() or len(label.splitlines()) != 1:
            raise ConfigError(
                f"model {name}: label {label!r} is empty, has a line break or blanks at its ends;"
                " Triton keeps one label per line, so rename it"
            )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
