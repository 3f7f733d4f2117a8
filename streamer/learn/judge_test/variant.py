"""Ways of asking a judge: what can be configured, and which questions it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import Predictions
from streamer.judging.engine.softmax import softmax
from streamer.judging.llm.joining import covered, joined, shifts
from streamer.learn.judge_test.answers import Answers

Codes = Literal["letters", "names"]
OWN = "as it is"
"""The prompt that the configuration names."""


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """What a judge is asked about each ticket at once.

    `prompt` is the name of one, `shift` by how many places its labels are turned, `examples` how
    many labelled tickets that are like a ticket stand before it. Without `codes` the judge is no
    language model, and there is one question.
    """

    prompt: str = OWN
    codes: Codes | None = None
    shift: int = 0
    examples: int = 0

    def __str__(self) -> str:
        told = {
            self.codes or "the judge": True,
            f"{self.examples} nearest": self.examples > 0,
            self.prompt: self.prompt != OWN,
            f"labels turned by {self.shift}": self.shift > 0,
        }
        return ", ".join(name for name, so in told.items() if so)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers to one question: about N tickets, and about an empty one [1, K] where that was
    asked.
    """

    tickets: Answers
    empty: Answers | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A way of asking that can be served: the question, and how its answers are joined.

    `contextual` divides out the empty ticket's, and `shifts` is over how many orders of the labels
    the mean is taken.
    """

    question: Question = Question()
    contextual: bool = False
    shifts: int = 1

    def __str__(self) -> str:
        told = {
            str(self.question): True,
            "contextual": self.contextual,
            f"{self.shifts} orders": self.shifts > 1,
        }
        return ", ".join(name for name, so in told.items() if so)

    def questions(self, labels: int, first: int = 0) -> tuple[Question, ...]:
        """All that it takes with K labels, which are turned by `first` places before that."""
        if self.question.codes is None:
            return (self.question,)
        return tuple(
            replace(self.question, shift=(first + shift) % labels)
            for shift in shifts(labels, self.shifts)
        )

    def predictions(self, answered: Mapping[Question, Answered], first: int = 0) -> Predictions:
        """What it says of the N tickets, as it would be served; all that it takes was answered."""
        ways = self._answers(answered, first)
        scores = np.stack([way.tickets.scores for way in ways])
        empty = [way.empty.scores[0] for way in ways if way.empty is not None]
        priors = np.stack(empty) if self.contextual else None
        return Predictions.of(softmax(joined(scores, priors)))

    def coverage(self, answered: Mapping[Question, Answered]) -> NDArray[np.float64]:
        """[N]: the share of the model's probability that the labels have."""
        return covered(np.stack([way.tickets.scores for way in self._answers(answered)]))

    def price(self, answered: Mapping[Question, Answered]) -> "Price":
        """What one ticket costs."""
        ways = [way.tickets for way in self._answers(answered)]
        return Price(sum(way.tokens for way in ways), sum(way.seconds for way in ways))

    def _answers(self, answered: Mapping[Question, Answered], first: int = 0) -> list[Answered]:
        labels = next(iter(answered.values())).tickets.scores.shape[1]
        return [answered[question] for question in self.questions(labels, first)]


@dataclass(frozen=True, slots=True)
class Price:
    """Of one ticket: tokens that were computed for it, NaN where nobody counts them, and seconds
    of the judge, which is asked about several at once.
    """

    tokens: float
    seconds: float
