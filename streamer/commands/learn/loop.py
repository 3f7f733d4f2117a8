"""What was learned until now, and the one way to add to it."""

import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.learn.rollout.promoted import Versions
from streamer.records.learned import Entry, Kind, Learned, Serves
from streamer.records.learned_file import read_learned, write_learned
from streamer.records.times import rfc3339
from streamer.words import no_such_task

Reload = Callable[[Learned], Settings]


class Loop:
    """The settings, the file under `learned`, and steps to add; `reload` gives the settings that
    would hold with other ones.

    Raises `ConfigError` where the settings name no file.
    """

    def __init__(self, settings: Settings, reload: Reload) -> None:
        if settings.learned is None:
            raise ConfigError(
                "learned names no file: add the key to the configuration, such as"
                " `learned: learned.json`; nothing changes until something is learned"
            )
        self.settings = settings
        self.path = settings.path(settings.learned)
        self.before = read_learned(self.path)
        self.learned = self.before
        self._reload = reload

    def tasks(self, wanted: Sequence[str]) -> Sequence[str]:
        """The wanted tasks, or all."""
        for name in wanted:
            if name not in self.settings.tasks:
                raise ConfigError(no_such_task(name, self.settings.tasks))
        return wanted or list(self.settings.tasks)

    def trials(self, wanted: Sequence[str]) -> list[Entry]:
        """The open trials of the wanted tasks, or all that are open; there is one at least."""
        by_task = {name: self.learned.trial(name) for name in self.tasks(wanted)}
        lacking = [name for name in wanted if by_task[name] is None]
        trials = [trial for trial in by_task.values() if trial is not None]
        if lacking or not trials:
            whose = f" of {', '.join(lacking)}" if lacking else ""
            raise ConfigError(f"no trial{whose} is open: begin one by `streamer learn start`")
        return trials

    def serves(self, task: str) -> Serves:
        """What is laid over a task now."""
        return self.learned.serves.get(task, Serves())

    def add(self, task: str, kind: Kind, serves: Serves, **given: Any) -> Entry:
        """One more step, not yet written."""
        now = rfc3339(int(time.time() * 1000))
        entry = Entry(self.learned.next_number, now, task, kind, serves, **given)
        self.learned = self.learned.then(entry)
        return entry

    def check(self) -> None:
        """Raises `ConfigError` where services would refuse the steps."""
        self._reload(self.learned)

    def write(self) -> None:
        """Write the steps, once they are checked."""
        self.check()
        write_learned(self.path, self.learned, self.before)

    def named(self, file: Path) -> str:
        """A path as the file under `learned` has it: relative to the configuration where it can
        be, so that the folder may move.
        """
        root, whole = self.settings.path(Path()).resolve(), file.resolve()
        return str(whole.relative_to(root) if whole.is_relative_to(root) else whole)


def on_trial(trial: Entry) -> Versions:
    """By worker, the version that serves and the one on trial."""
    return {
        name: (serving.version, serving.shadow.version)
        for name, serving in trial.serves.workers.items()
        if serving.shadow is not None
    }


def log_hash(log: Path) -> str:
    """SHA-256 of the file; raises `ConfigError` where it can't be read."""
    try:
        with log.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"can't read {log}: {error.strerror}; name the exported log") from None


def step(entry: Entry) -> Mapping[str, Any]:
    """A step as JSON shows it."""
    return {"number": entry.number, "task": entry.task, "kind": entry.kind, "serves": entry.serves}
