"""A task's examples in the form in which the judge will read its tickets."""

from dataclasses import dataclass

import numpy as np

from streamer.judging.llm.chat import Chat
from streamer.judging.llm.chat_prompt import ChatPrompt
from streamer.judging.llm.codes import Codes
from streamer.judging.llm.prompt import Prompt
from streamer.learn.data.examples import Examples
from streamer.learn.measures.scores import Labels


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """N tickets between what stands before and after each of them, the K tokens that answer, and
    `gold` [N], indexes among those.
    """

    prefix: tuple[int, ...]
    tickets: tuple[tuple[int, ...], ...]
    suffix: tuple[int, ...]
    answers: tuple[int, ...]
    gold: Labels

    @classmethod
    def of(
        cls, chat: Chat, prompt: Prompt, examples: Examples, max_ticket_tokens: int
    ) -> "TrainingExample":
        """Raises `ConfigError` where the tokenizer has too few codes for the labels."""
        codes = Codes.assign(len(prompt.label_set), chat.answer)
        asked = ChatPrompt.of(chat, prompt, codes.texts, max_ticket_tokens=max_ticket_tokens)
        ticket = slice(len(asked.prefix), -len(asked.suffix))
        index = prompt.label_set.index
        return cls(
            asked.prefix,
            tuple(tuple(whole.ids[ticket]) for whole in asked.encode(examples.texts)),
            asked.suffix,
            codes.ids,
            np.array([index[label] for label in examples.labels], np.int64),
        )
