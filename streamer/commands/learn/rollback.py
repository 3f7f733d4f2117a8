"""`streamer learn rollback`: what served before the last promotion serves again."""

from collections.abc import Sequence

from streamer.commands.learn.loop import Loop, step
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import load_versions
from streamer.records.learned import Entry
from streamer.terminal import note, tell, tell_json


def run(loop: Loop, tasks: Sequence[str], trial_only: bool = False, as_json: bool = False) -> int:
    """Undo the last promotion that stands, of the named tasks or of all, and end open trials.

    With `trial_only` no more than the trials. Raises `ConfigError` where there is neither.
    """
    names = loop.tasks(tasks)
    entries = [entry for name in names for entry in _back(loop, name, trial_only)]
    if not entries:
        what = "no trial is open" if trial_only else "no promotion stands and no trial is open"
        raise ConfigError(f"{', '.join(names)}: {what}; `streamer learn status` says what serves")
    loop.write()
    for entry in entries:
        _load(loop, entry)
        if as_json:
            tell_json(step(entry))
        else:
            _tell(entry)
    return 0


def _back(loop: Loop, task: str, trial_only: bool) -> list[Entry]:
    entries = []
    trial = loop.learned.trial(task)
    if trial is not None:
        serves = trial.serves.without_shadows
        entries.append(loop.add(task, "dropped", serves, models=trial.models))
    standing = None if trial_only else loop.learned.promotion(task)
    if standing is not None:
        promoted, before = standing
        entries.append(loop.add(task, "rolled_back", before, models=promoted.models))
    return entries


def _tell(entry: Entry) -> None:
    what = "is no longer on trial" if entry.kind == "dropped" else "no longer serves"
    for model, trained in entry.models.items():
        serves = entry.serves.workers[model].version
        tell(f"{entry.task}: {model} version {trained.version} {what}; version {serves} serves")
    tell("restart classify" + ("" if entry.kind == "dropped" else ", judge and monitor"))


def _load(loop: Loop, entry: Entry) -> None:
    """Have Triton load what serves again beside what did, where its repository is here.

    Of versions before the last trial it may have loaded none.
    """
    repository = loop.settings.path(loop.settings.triton.models)
    for model, trained in entry.models.items():
        serves = entry.serves.workers[model].version
        try:
            changed = load_versions(repository, model, {serves, trained.version})
        except ConfigError as error:
            note(f"see that Triton loads version {serves} of {model}: {error}")
            continue
        if changed:
            note(f"restart Triton first, so that it loads version {serves} of {model}")
