"""The test of a judge: variants are tried on some tickets, and a few of them told of on others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streamer.judging.llm.joining import shifts
from streamer.learn.data.examples import Examples
from streamer.learn.judge_test.asking import Asking, Progress
from streamer.learn.judge_test.choosing import Choice, bias, choose, promising
from streamer.learn.judge_test.figures import Figures
from streamer.learn.judge_test.variant import Answered, Question, Variant
from streamer.learn.measures.paired_test import PairedTest
from streamer.learn.measures.scores import Labels

_ORDERS = 3
"""Of the labels, over which a mean is tried: more cost more, and add little."""

_BIAS_ORDERS = 12
_BIAS_TICKETS = 100

Watch = Callable[[str], Progress]
"""Given what is asked, what is to be called as answers come."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The chosen variant held against another one on the same tickets."""

    variant: str
    test: PairedTest


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found; `told` begins with the chosen variant, whose label ids are `named` [N]."""

    choice: Choice
    told: tuple[Figures, ...]
    beside: tuple[Beside, ...]
    named: Labels


def grid(questions: Sequence[Question], labels: int) -> list[Variant]:
    """All variants that follow from questions in the first order of the labels."""
    found = []
    for question in questions:
        # Examples cost most, and differ from ticket to ticket.
        alone = question.codes is None or question.examples > 0
        orders = (1,) if alone else (1, min(_ORDERS, labels))
        empty = (False,) if alone else (False, True)
        found += [Variant(question, plain, count) for count in orders for plain in empty]
    return found


def all_questions(
    questions: Sequence[Question], configured: Variant, labels: int
) -> list[Question]:
    """Every question that a test may ask, of which judges must be made."""
    found = {
        replace(question, shift=shift)
        for question in (*questions, configured.question)
        for shift in (range(labels) if question.codes is not None else (0,))
    }
    return sorted(found, key=lambda one: (one.prompt, str(one.codes), one.shift, one.examples))


async def examine(
    asking: Asking,
    questions: Sequence[Question],
    configured: Variant,
    choosing: Examples,
    telling: Examples,
    watch: Watch,
) -> Examination:
    """Choose among all variants of the questions on some tickets, and tell on others of the chosen
    one, the one that was right most often, the configured one, and the chosen one by other prompts.

    Raises as `Judge.score`.
    """
    test = _Test(asking, watch)
    variants = grid(questions, len(asking.label_set))
    choice = await test.choose(variants, choosing)
    chosen = choice.chosen.variant
    prompts = sorted({one.question.prompt for one in variants})
    others = [
        replace(chosen, question=replace(chosen.question, prompt=prompt)) for prompt in prompts
    ]
    told = dict.fromkeys([chosen, configured, choice.tried[0].variant, *others])
    return await test.tell(choice, list(told), [chosen, configured], telling)


@dataclass(frozen=True, slots=True)
class _Test:
    asking: Asking
    watch: Watch

    async def choose(self, variants: Sequence[Variant], choosing: Examples) -> Choice:
        labels, gold = self._labels, self._gold(choosing)
        single = [one for one in variants if one.shifts == 1]
        plain = [one for one in single if not one.question.examples]
        answered = await self._answered([one.question for one in plain], choosing.texts, {})
        # What is far behind is asked neither with examples, which cost most, nor in other orders.
        ahead = promising(plain, answered, gold)
        shown = [one for one in single if replace(one.question, examples=0) in ahead]
        answered = await self._answered([one.question for one in shown], choosing.texts, answered)
        ahead = promising([*plain, *shown], answered, gold)
        turned = [
            question
            for one in variants
            if one.question in ahead
            for question in one.questions(len(labels))
        ]
        answered = await self._answered(turned, choosing.texts, answered)
        tried = [one for one in variants if all(q in answered for q in one.questions(len(labels)))]
        return choose(tried, answered, gold, labels)

    async def tell(
        self,
        choice: Choice,
        variants: Sequence[Variant],
        turned: Sequence[Variant],
        telling: Examples,
    ) -> Examination:
        """Of all variants, and the position bias of those that are to be `turned`."""
        labels, gold = self._labels, self._gold(telling)
        needed = [question for one in variants for question in one.questions(len(labels))]
        answered = await self._answered(needed, telling.texts, {})
        few = await self._turned(turned, telling.texts[:_BIAS_TICKETS])
        temperatures = {one.variant: one.temperature for one in choice.tried}
        told = [
            Figures.of(
                one, answered, gold, labels, temperatures.get(one, 1.0), bias(one, few, labels)
            )
            for one in variants
        ]
        named = [one.predictions(answered).label_ids for one in variants]
        beside = [
            Beside(str(one), PairedTest.test(named[0] == gold, ids == gold))
            for one, ids in zip(variants[1:], named[1:], strict=True)
        ]
        return Examination(choice, tuple(told), tuple(beside), named[0])

    async def _turned(
        self,
        variants: Sequence[Variant],
        few: Sequence[str],
    ) -> dict[Question, Answered]:
        """Answers about the first tickets, with the labels in other orders too."""
        wanted = [
            replace(one.question, shift=shift)
            for one in variants
            if one.question.codes is not None
            for shift in shifts(len(self._labels), _BIAS_ORDERS)
        ]
        needed = [question for one in variants for question in one.questions(len(self._labels))]
        return await self._answered([*needed, *wanted], few, {})

    async def _answered(
        self,
        questions: Sequence[Question],
        texts: Sequence[str],
        known: Mapping[Question, Answered],
    ) -> dict[Question, Answered]:
        found = dict(known)
        for question in dict.fromkeys(questions):
            if question not in found:
                found[question] = await self.asking.ask(question, texts, self.watch(str(question)))
        return found

    def _gold(self, examples: Examples) -> Labels:
        index = self.asking.label_set.index
        return np.array([index[label] for label in examples.labels], np.int64)

    @property
    def _labels(self) -> tuple[str, ...]:
        return self.asking.label_set.labels
