"""The judge of kind `llm`: one language model on vLLM for all tasks, one prompt for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, TicketError
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.softmax import softmax
from streamer.judging.judge import Headers, JudgeScores
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.prepared_prompt import Form, PreparedPrompt
from streamer.judging.llm.prompt import Prompts
from streamer.judging.llm.scorer import Scorer
from streamer.records.labelset import LabelSet

# What is told of a prompt that is not answered by its labels: so many tokens, and answers to it.
_LAST, _ANSWERS = 24, 5


class LanguageJudge(EngineJudge):
    """Scores labels by the probability that a language model gives to each as its answer.

    A `Judge`. p(label) is the softmax, over the labels alone, of the log-probabilities of their
    answers: Zhao et al. 2021, "Calibrate Before Use", for dividing out an empty ticket's.
    """

    def __init__(
        self, scorer: Scorer, prepared: Mapping[str, tuple[PreparedPrompt, ...]], form: Form
    ) -> None:
        super().__init__([scorer.engine], prepared)
        self._scorer = scorer
        self._prepared = dict(prepared)
        self._form = form
        self._priors: dict[str, NDArray[np.float64]] = {}

    @classmethod
    def load(
        cls,
        folder: Path,
        prompts: Prompts,
        form: Form,
        *,
        settings: EngineSettings | None = None,
        stalled_after: float = 120.0,
    ) -> "LanguageJudge":
        """From a model's folder in Hugging Face layout; nothing runs before `start`.

        Raises `ConfigError` when the folder holds no usable model, its tokenizer has too few codes,
        or a prompt is too long for it.
        """
        settings = settings or EngineSettings()
        model = ModelFolder.at(folder, settings.max_model_len)
        chat = Chat.at(model.folder)
        prepared = {
            task: tuple(PreparedPrompt.of(model, chat, prompt, form) for prompt in held)
            for task, held in prompts.items()
        }
        longest = max(each.longest for held in prepared.values() for each in held)
        scorer = Scorer(model, longest, settings, stalled_after=stalled_after)
        return cls(scorer, prepared, form)

    async def start(self) -> None:
        """See `Judge.start`. Raises `ConfigError` where the model would rather answer otherwise."""
        await self._load()
        if self._form.contextual:
            await self.calibrate()
        for (task, label_set), scores in (await self._warm_up()).items():
            assert scores.coverage is not None  # a language model always has it
            coverage = float(np.median(scores.coverage))
            if coverage < self._form.min_coverage:
                await self._refuse(self._find(task, label_set), coverage)

    async def calibrate(self) -> None:
        """Ask about an empty ticket, whose scores are divided out of all that come."""
        for held in self._prepared.values():
            for prepared in held:
                self._priors[prepared.version] = (await self._scores(prepared, [""]))[0][0]

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The label sets held for a task, the current one first; empty for an unknown task."""
        return tuple(prepared.prompt.label_set for prepared in self._prepared.get(task, ()))

    def version(self, task: str, label_set: str) -> str:
        """Digests of model and prompt. Raises `TicketError` when the label set is not held."""
        return self._find(task, label_set).version

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """See `Judge.score`."""
        prepared = self._find(task, label_set)
        scores, truncated = await self._scores(prepared, texts, trace_headers)
        # What is no number is noticed below.
        with np.errstate(invalid="ignore"):
            coverage = np.exp(np.logaddexp.reduce(scores, axis=1))
            probabilities = softmax(scores - self._priors.get(prepared.version, 0.0))
        return self._answer(probabilities, truncated, np.minimum(coverage, 1).astype(np.float32))

    def shown(self, task: str, label_set: str, text: str) -> str:
        """The whole prompt for one ticket, special tokens included, as the model reads it."""
        prepared = self._find(task, label_set)
        [ticket] = prepared.chat_prompt.encode([text])
        return prepared.chat_prompt.chat.written(ticket.ids)

    async def _refuse(self, prepared: PreparedPrompt, coverage: float) -> NoReturn:
        chat = prepared.chat_prompt.chat
        [ticket] = prepared.chat_prompt.encode(["Hello"])
        answers = await self._scorer.likeliest(ticket.ids, _ANSWERS)
        rather = (f"{chat.written([token])!r} ({np.exp(score):.2f})" for token, score in answers)
        raise ConfigError(
            f"the language model gives the labels of task {prepared.prompt.task} "
            f"{coverage:.2g} of its probability, and judge.min_coverage is "
            f"{self._form.min_coverage:g}. Its prompts end in "
            f"{chat.written(ticket.ids[-_LAST:])!r}, and there it would rather answer "
            f"{', '.join(rather)}: correct the model's chat template or the prompt, take "
            "an instruction-tuned model, or lower judge.min_coverage"
        )

    async def _scores(
        self,
        prepared: PreparedPrompt,
        texts: Sequence[str],
        headers: Headers = None,
    ) -> tuple[NDArray[np.float64], list[bool]]:
        # Here and not in a thread: to cross over costs more than a ticket, whose length is bounded.
        tickets = prepared.chat_prompt.encode(texts)
        prompts = [ticket.ids for ticket in tickets]
        shared = len(prepared.chat_prompt.prefix)
        scores = await prepared.answering.scores(self._scorer, prompts, headers, shared)
        return scores, [ticket.truncated for ticket in tickets]

    def _find(self, task: str, label_set: str) -> PreparedPrompt:
        for prepared in self._prepared.get(task, ()):
            if prepared.prompt.label_set.version == label_set:
                return prepared
        raise TicketError(
            "unknown_label_set",
            f"the judge has no prompt of task {task} for label set {label_set};"
            " write one, restart the judge and replay the dead letter",
        )
