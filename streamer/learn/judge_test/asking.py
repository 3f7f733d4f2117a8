"""Asks a judge about texts, a few at a time, and keeps each answer as it comes."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from streamer.judging.judge import Judge
from streamer.judging.usage import counted
from streamer.learn.judge_test.answers import Answer, AnswerFile, Answers
from streamer.learn.judge_test.variant import Answered, Question
from streamer.records.labelset import LabelSet

AT_ONCE = 16

Progress = Callable[[int, int], None]
"""Called with how many texts were asked about, and how many there are."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One task's judges, one for each question, on one engine; `started` is awaited before any of
    them is asked.
    """

    task: str
    label_set: LabelSet
    judges: Mapping[Question, Judge]
    kept: AnswerFile
    started: Callable[[], Awaitable[None]]

    async def ask(self, question: Question, texts: Sequence[str], progress: Progress) -> Answered:
        """What was not asked before is asked now; raises as `Judge.score`."""
        version = self._version(question)
        missing = self.kept.missing(version, texts)
        for at in range(0, len(missing), AT_ONCE):
            part = missing[at : at + AT_ONCE]
            self.kept.add(version, zip(part, await self._asked(question, part), strict=True))
            progress(min(at + AT_ONCE, len(missing)), len(missing))
        return Answered(self.kept.answers(version, texts), await self._empty(question))

    async def _empty(self, question: Question) -> Answers | None:
        """Of a language model whose prompt is the same for all tickets."""
        if question.codes is None or question.examples:
            return None
        version = self._version(question)
        if self.kept.missing(version, [""]):
            self.kept.add(version, [("", (await self._asked(question, [""]))[0])])
        return self.kept.answers(version, [""])

    async def _asked(self, question: Question, texts: Sequence[str]) -> list[Answer]:
        await self.started()
        judge = self.judges[question]
        began = time.monotonic()
        with counted() as usage:
            found = await judge.score(self.task, self.label_set.version, texts)
        seconds = time.monotonic() - began
        # An endpoint need not say what an answer took.
        tokens = usage.computed / len(texts) if usage.prompts else None
        coverage = [1.0] * len(texts) if found.coverage is None else found.coverage.tolist()
        return [
            Answer.of(row, covered, tokens, seconds / len(texts))
            for row, covered in zip(found.probabilities, coverage, strict=True)
        ]

    def _version(self, question: Question) -> str:
        return self.judges[question].version(self.task, self.label_set.version)
