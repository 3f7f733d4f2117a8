"""The steps that people take between the waves, by the same commands."""

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from streamer.commands import align, log_export, segments
from streamer.commands.learn import judge, promote, start
from streamer.commands.learn.loop import Loop
from streamer.config import load
from streamer.dev.demo.loop.young import TASK, Young
from streamer.dev.stack import Stack
from streamer.errors import ModelError
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.records.log_file import read_log

_PATIENCE_S = 300.0
_LOOK_EVERY_S = 2.0
_BUDGET = 0.15
_TOLERANCE = 0.1
"""A wave is short: with a tolerance of 1 % the test asks for some thousand judged tickets."""

_SEGMENTS = 3
"""More would leave each of them too few tickets of a wave to choose a way by."""


class Learner:
    """Exports the log, and learns from it; `pages` are the addresses of what it wrote, by title."""

    def __init__(self, stack: Stack, task: Young, out: Console) -> None:
        self._stack = stack
        self._task = task
        self._out = out
        self.folder = task.config.parent
        self._log = self.folder / "log.parquet"
        self.pages: dict[str, str] = {}

    def decisions(self, tickets: Collection[str]) -> list[LoggedDecision]:
        """All of these tickets, once the judge has answered whatever it was asked about them.

        Raises `ModelError` where it has not after minutes.
        """
        until = time.monotonic() + _PATIENCE_S
        while True:
            log_export.export(self._stack.settings, self._log, "earliest")
            decisions = [
                decision
                for decision in logged_decisions(read_log(self._log))
                if _is_among(decision, tickets)
            ]
            if len(decisions) == len(tickets) and all(map(_is_whole, decisions)):
                return decisions
            if time.monotonic() > until:
                whole = sum(map(_is_whole, decisions))
                raise ModelError(f"the log has {whole} of {len(tickets)} tickets with verdicts")
            time.sleep(_LOOK_EVERY_S)

    def find_segments(self) -> Path:
        """A new version of the segments; returns its folder."""
        folder, wanted = (
            self.folder / "segments",
            segments.FitOptions(size=_SEGMENTS, budget=_BUDGET),
        )
        self._out.print("finding segments")
        segments.fit(self._stack.settings, self._log, self._task.tickets, folder, wanted)
        number = max(int(version.name) for version in folder.iterdir())
        self.pages[f"Segments, version {number}"] = f"segments/{number}/report.html"
        return folder / str(number)

    def begin_trial(self, segments_folder: Path) -> None:
        """New versions of the workers, aligned to the judge, on all tickets beside the old ones.

        All of them: what learnt a few examples only is no sound second opinion to keep.
        """
        self._out.print("aligning the workers to the judge")

        def trained(tasks: Sequence[str]) -> Mapping[str, str]:
            wanted = align.AlignOptions(tasks, segments_folder, align.NOBODY)
            result = align.align(self._stack.settings, self._log, self._task.tickets, wanted)
            return {model: str(number) for model, number in result.versions.items()}

        start.run(self._loop(), self._log, trained, start.TrialOptions([TASK], share=1.0))

    def promote(self) -> None:
        """Where the log shows the new versions to be better; raises `ConfigError` where not."""
        self._out.print("judging the trial")
        page = self.folder / "trial.html"
        judge.run(self._loop(), self._log, [TASK], None, page, _TOLERANCE)
        self.pages["The trial"] = page.name
        promote.run(self._loop(), self._log, promote.PromoteOptions([TASK], tolerance=_TOLERANCE))

    def _loop(self) -> Loop:
        settings = load(self._task.config)
        return Loop(settings, lambda learned: load(self._task.config, None, learned))


def _is_among(decision: LoggedDecision, tickets: Collection[str]) -> bool:
    return decision.ballot is not None and decision.ballot.ticket_id in tickets


def _is_whole(decision: LoggedDecision) -> bool:
    ballot = decision.ballot
    owed = ballot is not None and (ballot.label is None or ballot.uniform)
    return not owed or (decision.verdict is not None)
