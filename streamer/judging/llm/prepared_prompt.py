"""A task's prompt as it is asked of one model: token ids, and how the answer is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError
from streamer.judging.judge import Headers
from streamer.judging.llm.answering import Answering, ByCode, ByName
from streamer.judging.llm.chat import Wording
from streamer.judging.llm.chat_prompt import ChatPrompt, Example
from streamer.judging.llm.codes import LARGEST, Codes
from streamer.judging.llm.joining import shifts
from streamer.judging.llm.prompt import Prompt
from streamer.judging.llm.scoring import Scoring
from streamer.judging.llm.trie import Trie


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How tasks are asked.

    `codes` letters answers by codes of one token, but by names where there are more than 128
    labels; None takes names, but of a model that was taught letters those. `contextual` divides
    out what the model says of an empty ticket. The answer is the mean of `shifts` ways, in each of
    which the labels are turned by some places, by `first` in the first. `examples` labelled tickets
    that are like a ticket stand before it. A model that gives the labels less than `min_coverage`
    of its probability at start is not taken.
    """

    codes: Literal["letters", "names"] | None = None
    contextual: bool = False
    shifts: int = 1
    first: int = 0
    examples: int = 0
    max_ticket_tokens: int = 1024
    min_coverage: float = 0.0

    @property
    def learnt(self) -> "Form":
        """The one form that a model was taught, whatever is asked for."""
        most, least = self.max_ticket_tokens, self.min_coverage
        return Form(codes="letters", max_ticket_tokens=most, min_coverage=least)

    @property
    def told(self) -> tuple[str, ...]:
        """What tells this form from the plain one by codes or names, for versions."""
        found = {
            "contextual": self.contextual,
            f"shift{self.first}": self.first > 0,
            f"shifts{self.shifts}": self.shifts > 1,
            f"examples{self.examples}": self.examples > 0,
        }
        return tuple(name for name, so in found.items() if so)


class Model(Protocol):
    """What answers: `max_tokens` is the most that it reads, `digest` tells it from others, and
    `taught` says whether it learnt to answer by letters."""

    @property
    def folder(self) -> object: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def taught(self) -> bool: ...
    @property
    def digest(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedPrompt:
    """One prompt of one model, its labels turned by `shift` places.

    `others` are the further ways in which it is asked, with other shifts. `version` tells all of
    them together from what would answer otherwise.
    """

    prompt: Prompt
    chat_prompt: ChatPrompt
    answering: Answering
    version: str
    shift: int = 0
    others: "tuple[PreparedPrompt, ...]" = ()

    @classmethod
    def of(cls, model: Model, chat: Wording, prompt: Prompt, form: Form) -> "PreparedPrompt":
        """Raises `ConfigError` where the labels can't be told apart, or the prompt is too long."""
        if prompt.bare:
            form = form.learnt
        count = len(prompt.label_set)
        turns = [(form.first + shift) % count for shift in shifts(count, form.shifts)]
        one, *others = (cls._turned(model, chat, prompt, form, shift) for shift in turns)
        _check_length(one, model)
        return replace(one, others=tuple(others))

    @classmethod
    def _turned(
        cls, model: Model, chat: Wording, prompt: Prompt, form: Form, shift: int
    ) -> "PreparedPrompt":
        turned = prompt.shifted(shift)
        codes = _codes(model, chat, turned, form)
        answering: Answering
        if codes is None:
            names = [chat.answer(name) for name in turned.label_set.labels]
            answering = ByName(Trie.of(names, chat.frame.end))
        else:
            answering = ByCode(codes)
        chat_prompt = ChatPrompt.of(
            chat,
            turned,
            None if codes is None else codes.texts,
            max_ticket_tokens=form.max_ticket_tokens,
            beside=form.examples,
        )
        how = "names" if codes is None else "letters"
        version = "-".join([model.digest, prompt.version, how, *form.told])
        return cls(
            prompt=prompt,
            chat_prompt=chat_prompt,
            answering=answering,
            version=version,
            shift=shift,
        )

    @property
    def longest(self) -> int:
        """Tokens of the longest request, its names included."""
        return self.chat_prompt.longest + self.answering.longest

    @property
    def ways(self) -> "tuple[PreparedPrompt, ...]":
        """All ways in which it is asked, itself first."""
        return (self, *self.others)

    async def scores(
        self,
        scorer: Scoring,
        texts: Sequence[str],
        headers: Headers = None,
        examples: Sequence[Sequence[Example]] | None = None,
    ) -> tuple[NDArray[np.float64], list[bool]]:
        """Log-probabilities [N, K] of the labels in the prompt's order, of this way alone, and of
        which texts the middle is left out.
        """
        count = len(self.prompt.label_set)
        if examples is not None:
            # In this way's prompt, label i stands at place i - shift.
            examples = [
                [(text, (label - self.shift) % count) for text, label in one] for one in examples
            ]
        tickets = await self.chat_prompt.read(texts, examples)
        prompts = [ticket.ids for ticket in tickets]
        shared = len(self.chat_prompt.prefix)
        found = await self.answering.scores(scorer, prompts, headers, shared)
        return np.roll(found, self.shift, axis=1), [ticket.truncated for ticket in tickets]


def _codes(model: Model, chat: Wording, prompt: Prompt, form: Form) -> Codes | None:
    count = len(prompt.label_set)
    letters = form.codes == "letters" or (form.codes is None and model.taught)
    if not letters or count > LARGEST:
        return None
    return Codes.assign(count, chat.answer)


def _check_length(prepared: PreparedPrompt, model: Model) -> None:
    if prepared.longest >= model.max_tokens:
        raise ConfigError(
            f"the prompt of task {prepared.prompt.task} takes up to {prepared.longest} tokens, and "
            f"{model.folder} reads {model.max_tokens - 1}: lower judge.max_ticket_tokens or "
            "judge.examples, or shorten the prompt"
        )
