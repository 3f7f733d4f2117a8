"""A task's prompt as it is asked of one model: token ids, and how the answer is read."""

from dataclasses import dataclass
from typing import Literal

from streamer.errors import ConfigError
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.llm.answering import Answering, ByCode, ByName
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.chat_prompt import ChatPrompt
from streamer.judging.llm.codes import LARGEST, Codes
from streamer.judging.llm.prompt import Prompt
from streamer.judging.llm.trie import Trie


@dataclass(frozen=True, slots=True)
class Form:
    """How tasks are asked.

    `codes` letters answers by codes of one token, but by names where there are more than 128
    labels; `contextual` divides out what the model says of an empty ticket. A model that gives the
    labels less than `min_coverage` of its probability at start is not taken.
    """

    codes: Literal["letters", "names"] = "letters"
    contextual: bool = False
    max_ticket_tokens: int = 1024
    min_coverage: float = 0.0


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """One prompt of one model; `version` tells it from all that would answer otherwise."""

    prompt: Prompt
    chat_prompt: ChatPrompt
    answering: Answering
    version: str

    @classmethod
    def of(cls, model: ModelFolder, chat: Chat, prompt: Prompt, form: Form) -> "PreparedPrompt":
        """Raises `ConfigError` where the labels can't be told apart, or the prompt is too long."""
        codes = _codes(chat, prompt, form)
        answering: Answering
        if codes is None:
            names = [chat.answer(name) for name in prompt.label_set.labels]
            answering = ByName(Trie.of(names, chat.frame.end))
        else:
            answering = ByCode(codes)
        texts = None if codes is None else codes.texts
        chat_prompt = ChatPrompt.of(chat, prompt, texts, max_ticket_tokens=form.max_ticket_tokens)
        how = "names" if codes is None else "letters"
        parts = [model.digest, prompt.version, how, *(["contextual"] if form.contextual else [])]
        asked = cls(prompt, chat_prompt, answering, "-".join(parts))
        _check_length(asked, model)
        return asked

    @property
    def longest(self) -> int:
        """Tokens of the longest request, its names included."""
        return self.chat_prompt.longest + self.answering.longest


def _codes(chat: Chat, prompt: Prompt, form: Form) -> Codes | None:
    count = len(prompt.label_set)
    if form.codes == "names" or count > LARGEST:
        return None
    return Codes.assign(count, chat.answer)


def _check_length(asked: PreparedPrompt, model: ModelFolder) -> None:
    if asked.longest >= model.max_tokens:
        raise ConfigError(
            f"the prompt of task {asked.prompt.task} takes up to {asked.longest} tokens, and "
            f"{model.folder} reads {model.max_tokens - 1}: lower judge.max_ticket_tokens, or "
            "shorten the prompt"
        )
