"""The judge of kind `llm`: one language model on vLLM for all tasks, one prompt for each."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, TicketError
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.softmax import softmax
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.judge import Headers, JudgeScores
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.chat_prompt import Example
from streamer.judging.llm.joining import covered, joined
from streamer.judging.llm.nearest import LabelledTickets
from streamer.judging.llm.prepared_prompt import Form, PreparedPrompt
from streamer.judging.llm.prompt import Prompt, Prompts
from streamer.judging.llm.scorer import Scorer
from streamer.judging.llm.scoring import Scoring
from streamer.records.labelset import LabelSet

# What is told of a prompt that is not answered by its labels: so many tokens, and answers to it.
_LAST, _ANSWERS = 24, 5


class LanguageJudge(EngineJudge):
    """Scores labels by the probability that a language model gives to each as its answer.

    A `Judge`. p(label) is the softmax, over the labels alone, of the log-probabilities of their
    answers: Zhao et al. 2021, "Calibrate Before Use", for dividing out an empty ticket's.
    `labelled` has each task's labelled tickets where such stand beside each ticket.
    """

    def __init__(
        self,
        scorer: Scoring,
        prepared: Mapping[str, tuple[PreparedPrompt, ...]],
        form: Form,
        labelled: Mapping[str, LabelledTickets] | None = None,
        engines: Collection[WatchedEngine] = (),
    ) -> None:
        """`engines` are those that start and end with it."""
        super().__init__(engines, prepared)
        self._scorer = scorer
        self._prepared = dict(prepared)
        self._form = form
        self._labelled = dict(labelled or {})
        self._priors: dict[str, NDArray[np.float64]] = {}

    @classmethod
    def load(
        cls,
        folder: Path,
        prompts: Prompts,
        form: Form,
        *,
        labelled: Mapping[str, LabelledTickets] | None = None,
        settings: EngineSettings | None = None,
        stalled_after: float = 120.0,
    ) -> "LanguageJudge":
        """From a model's folder in Hugging Face layout; nothing runs before `start`.

        Raises `ConfigError` when the folder holds no usable model, its tokenizer has too few codes,
        or a prompt is too long for it.
        """
        [judge] = cls.load_several(
            folder,
            [(prompts, form)],
            labelled=labelled,
            settings=settings,
            stalled_after=stalled_after,
        )
        return judge

    @classmethod
    def load_several(
        cls,
        folder: Path,
        asked: Sequence[tuple[Prompts, Form]],
        *,
        labelled: Mapping[str, LabelledTickets] | None = None,
        settings: EngineSettings | None = None,
        stalled_after: float = 120.0,
    ) -> "list[LanguageJudge]":
        """As `load`, one for each way of asking, all on one engine: `start` and `stop` any one."""
        settings = settings or EngineSettings()
        model = ModelFolder.at(folder, settings.max_model_len)
        chat = Chat.at(model.folder)
        known = labelled or {}
        prepared = [
            {
                task: tuple(_prepared(model, chat, each, form, known.get(task)) for each in held)
                for task, held in prompts.items()
            }
            for prompts, form in asked
        ]
        longest = max(
            way.longest
            for tasks in prepared
            for held in tasks.values()
            for each in held
            for way in each.ways
        )
        scorer = Scorer(model, longest, settings, stalled_after=stalled_after)
        return [
            cls(scorer, tasks, form, labelled, [scorer.engine])
            for tasks, (_, form) in zip(prepared, asked, strict=True)
        ]

    async def load_alone(self) -> None:
        """Load without a warm-up: the first tickets are slow, and no prompt was tried."""
        await self._load()

    async def start(self) -> None:
        """See `Judge.start`. Raises `ConfigError` where the model would rather answer otherwise."""
        await self._load()
        if self._form.examples:
            for tickets in self._labelled.values():
                await asyncio.to_thread(tickets.embedded)
        if self._form.contextual:
            await self.calibrate()
        # vLLM forms its own batches of them, and on a processor each costs a second and more.
        for (task, label_set), scores in (await self._warm_up(times=1)).items():
            await self.check_coverage(task, label_set, scores)

    async def check_coverage(self, task: str, label_set: str, scores: JudgeScores) -> None:
        """Raises `ConfigError` where first answers say that the model would answer otherwise."""
        assert scores.coverage is not None  # a language model always has it
        coverage = float(np.median(scores.coverage))
        if coverage < self._form.min_coverage:
            await self._refuse(self._find(task, label_set), coverage)

    async def calibrate(self) -> None:
        """Ask about an empty ticket, whose scores are divided out of all that come."""
        for held in self._prepared.values():
            for prepared in held:
                # A taught model's own shares are those of what it learnt from.
                if not prepared.prompt.bare:
                    scores, _ = await self._scores(prepared, [""])
                    self._priors[prepared.version] = scores[:, 0]

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
            coverage = covered(scores).astype(np.float32)
            probabilities = softmax(joined(scores, self._priors.get(prepared.version)))
        return self._answer(probabilities, truncated, coverage)

    async def shown(self, task: str, label_set: str, text: str) -> str:
        """The whole prompt for one ticket, special tokens included, as the model reads it first."""
        prepared = self._find(task, label_set)
        [ticket] = await prepared.chat_prompt.read([text], await self._beside(prepared, [text]))
        return await prepared.chat_prompt.chat.spelled(ticket.ids)

    async def _refuse(self, prepared: PreparedPrompt, coverage: float) -> NoReturn:
        chat = prepared.chat_prompt.chat
        [ticket] = await prepared.chat_prompt.read(["Hello"])
        answers = await self._scorer.likeliest(ticket.ids, _ANSWERS)
        rather = [
            f"{await chat.spelled([token])!r} ({np.exp(score):.2f})" for token, score in answers
        ]
        raise ConfigError(
            f"the language model gives the labels of task {prepared.prompt.task} "
            f"{coverage:.2g} of its probability, and judge.min_coverage is "
            f"{self._form.min_coverage:g}. Its prompts end in "
            f"{await chat.spelled(ticket.ids[-_LAST:])!r}, and there it would rather answer "
            f"{', '.join(rather)}: correct the model's chat template or the prompt, take "
            "an instruction-tuned model, or lower judge.min_coverage"
        )

    async def _scores(
        self, prepared: PreparedPrompt, texts: Sequence[str], headers: Headers = None
    ) -> tuple[NDArray[np.float64], list[bool]]:
        """Log-probabilities [W, N, K], and of which texts the middle is left out."""
        examples = await self._beside(prepared, texts)
        ways = [way.scores(self._scorer, texts, headers, examples) for way in prepared.ways]
        answers = await asyncio.gather(*ways)
        return np.stack([scores for scores, _ in answers]), answers[0][1]

    async def _beside(
        self, prepared: PreparedPrompt, texts: Sequence[str]
    ) -> Sequence[Sequence[Example]] | None:
        count = prepared.chat_prompt.beside
        if not count:
            return None
        # In a thread: the encoder takes milliseconds for each ticket.
        labelled = self._labelled[prepared.prompt.task]
        return await asyncio.to_thread(labelled.nearest, texts, count)

    def _find(self, task: str, label_set: str) -> PreparedPrompt:
        for prepared in self._prepared.get(task, ()):
            if prepared.prompt.label_set.version == label_set:
                return prepared
        raise TicketError(
            "unknown_label_set",
            f"the judge has no prompt of task {task} for label set {label_set};"
            " write one, restart the judge and replay the dead letter",
        )


def _prepared(
    model: ModelFolder, chat: Chat, prompt: Prompt, form: Form, labelled: LabelledTickets | None
) -> PreparedPrompt:
    current = labelled is not None and labelled.label_set == prompt.label_set
    if form.examples and (prompt.bare or not current):
        # A taught model knows none, and a label set of before has no labelled tickets any more.
        form = replace(form, examples=0)
    prepared = PreparedPrompt.of(model, chat, prompt, form)
    if not form.examples or labelled is None:
        return prepared
    return replace(prepared, version=f"{prepared.version}-{labelled.digest}")
