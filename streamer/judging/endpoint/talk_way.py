"""Any server that speaks OpenAI's chat: labels by the listed tokens, or by a form to fill in."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, TicketError
from streamer.judging.endpoint.dialect import Dialect
from streamer.judging.endpoint.endpoint import Endpoint
from streamer.judging.endpoint.question import Question
from streamer.judging.endpoint.reading import Reading
from streamer.judging.endpoint.server_scorer import logprob
from streamer.judging.engine.softmax import softmax
from streamer.judging.judge import Headers, JudgeScores
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompt
from streamer.records.labelset import LabelSet


class Told(NamedTuple):
    """Log-probabilities [K], raw, and the share that is on the labels for certain."""

    scores: NDArray[np.float64]
    coverage: float


# What thinks before it answers needs room for that; the answer itself is one line.
_LONGEST = 2048
_NOT_AT_ALL = -30.0


class Reply(Protocol):
    """How a label is asked for, and read from what comes back."""

    @property
    def name(self) -> str: ...
    @property
    def told(self) -> str: ...
    @property
    def knows(self) -> bool: ...

    def codes(self, prompt: Prompt) -> tuple[str, ...] | None:
        """What the labels are answered by, None for their names."""

    def options(self, prompt: Prompt) -> tuple[int, Mapping[str, Any]]:
        """Tokens of the longest answer, and more options of the request."""

    def read(self, said: Any, prompt: Prompt) -> Told:
        """Raises what code raises that is given something odd, where nothing is told."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The likeliest tokens are listed, and those of the labels' letters are looked up among them.

    A letter that is not listed can't be likelier than the last that is, nor than what the list
    leaves over: the lesser of the two is its floor. `most` tokens are listed.
    """

    most: int
    name: ClassVar[str] = "listed"
    knows: ClassVar[bool] = True

    @property
    def told(self) -> str:
        return f"the {self.most} likeliest tokens, with a floor for what they lack"

    def codes(self, prompt: Prompt) -> tuple[str, ...] | None:
        return tuple(ascii_uppercase[: len(prompt.label_set)])

    def options(self, prompt: Prompt) -> tuple[int, Mapping[str, Any]]:
        return 1, {"logprobs": True, "top_logprobs": self.most}

    def read(self, said: Any, prompt: Prompt) -> Told:
        listed = said["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        found = [(str(one["token"]), logprob(one["logprob"])) for one in listed]
        if not found:
            raise ValueError("an empty list")
        scores = np.full(len(prompt.label_set), -np.inf)
        for place, code in enumerate(self.codes(prompt) or ()):
            # " A" and "A" are the same answer.
            for token, score in found:
                if token.strip() == code:
                    scores[place] = np.logaddexp(scores[place], score)
        coverage = min(float(np.exp(scores).sum()), 1.0)
        missing = scores == -np.inf
        scores[missing] = self._floor([score for _, score in found], int(missing.sum()))
        return Told(scores, coverage)

    def _floor(self, listed: Sequence[float], missing: int) -> float:
        left = 1.0 - float(np.exp(listed).sum())
        if not missing or left <= 0:
            return _NOT_AT_ALL
        return float(max(min(min(listed), np.log(left / missing)), _NOT_AT_ALL))


@dataclass(frozen=True, slots=True)
class Said:
    """A form of one field is filled in, which can only be a label. How sure it is, is not known."""

    name: ClassVar[str] = "said"
    knows: ClassVar[bool] = False
    told: ClassVar[str] = "the label alone, whose probability is not known"

    def codes(self, prompt: Prompt) -> tuple[str, ...] | None:
        return None

    def options(self, prompt: Prompt) -> tuple[int, Mapping[str, Any]]:
        field = {"type": "string", "enum": list(prompt.label_set.labels)}
        schema = {
            "type": "object",
            "properties": {"label": field},
            "required": ["label"],
            "additionalProperties": False,
        }
        form = {"name": "label", "strict": True, "schema": schema}
        return _LONGEST, {"response_format": {"type": "json_schema", "json_schema": form}}

    def read(self, said: Any, prompt: Prompt) -> Told:
        label = json.loads(said["choices"][0]["message"]["content"])["label"]
        scores = np.full(len(prompt.label_set), -np.inf)
        scores[prompt.label_set.index[label]] = 0.0
        return Told(scores, 1.0)


class TalkWay:
    """A `Way` for the tasks of `prompts`, whose words are those of the embedded language model."""

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        prompts: Mapping[str, Sequence[Prompt]],
        dialect: Dialect,
        reply: Reply,
        form: Form,
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._prompts = dict(prompts)
        self._dialect = dialect
        self._reply = reply
        self._form = form
        self._reading = Reading(form.max_ticket_tokens)

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """See `Judge.label_sets`."""
        return tuple(prompt.label_set for prompt in self._prompts.get(task, ()))

    def version(self, task: str, label_set: str) -> str:
        """See `Judge.version`."""
        prompt = self._find(task, label_set)
        return f"{self._endpoint.identity or self._model}-{prompt.version}-{self._reply.name}"

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """See `Judge.score`."""
        prompt = self._find(task, label_set)
        headers = trace_headers or [None] * len(texts)
        framed = [self._reading.framed(text, prompt.around) for text in texts]
        asked = [
            self._endpoint.ask(self.question(prompt, text, header))
            for (text, _), header in zip(framed, headers, strict=True)
        ]
        told = await asyncio.gather(*asked)
        rows = np.array([one.scores for one in told]).reshape(len(texts), len(prompt.label_set))
        cut = np.array([one for _, one in framed], bool)
        if not self._reply.knows:
            return JudgeScores(softmax(rows), cut, known=False)
        coverage = np.array([one.coverage for one in told], np.float32)
        return JudgeScores(softmax(rows), cut, coverage)

    async def check_coverage(self, task: str, label_set: str, scores: JudgeScores) -> None:
        """See `Way.check_coverage`."""
        if scores.coverage is None:
            return
        coverage = float(np.median(scores.coverage))
        if coverage < self._form.min_coverage:
            raise ConfigError(
                f"the model behind {self._endpoint.address.host} gives the letters of task {task} "
                f"{coverage:.2g} of its probability, and judge.min_coverage is "
                f"{self._form.min_coverage:g}: correct the prompt, take an instruction-tuned "
                "model, or lower judge.min_coverage"
            )

    async def shown(self, task: str, label_set: str, text: str) -> str | None:
        """See `Way.shown`."""
        prompt = self._find(task, label_set)
        framed, _ = self._reading.framed(text, prompt.around)
        return f"{prompt.system(self._reply.codes(prompt))}\n\n{framed}"

    def question(
        self, prompt: Prompt, framed: str, header: Mapping[str, str] | None = None
    ) -> Question[Told]:
        """Asks about a ticket in its frame."""
        most, options = self._reply.options(prompt)
        system = prompt.system(self._reply.codes(prompt))
        body = {**self._dialect.talk(self._model, system, framed, most), **options}
        url = f"{self._endpoint.address.base}/chat/completions"
        return Question(url, body, lambda said: self._reply.read(said, prompt), header or {})

    def _find(self, task: str, label_set: str) -> Prompt:
        for prompt in self._prompts.get(task, ()):
            if prompt.label_set.version == label_set:
                return prompt
        raise TicketError(
            "unknown_label_set",
            f"the judge has no prompt of task {task} for label set {label_set};"
            " write one, restart the judge and replay the dead letter",
        )
