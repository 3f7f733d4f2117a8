"""A task's prompt as token ids: the shared part, one ticket, and where the answer begins.

    prefix                                     ticket            suffix
    <template> system text, padding <template> <ticket> text ... </ticket> <template>

The prefix is the same for all tickets of a task, so that the engine computes it once and keeps it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from streamer.errors import ConfigError
from streamer.judging.engine.cutting import Cutting
from streamer.judging.engine.tokens import TicketTokens
from streamer.judging.llm.chat import Chat
from streamer.judging.llm.escape import escaped
from streamer.judging.llm.prompt import CLOSE, OPEN, Prompt

BLOCK = 32
"""Prefixes are padded to a multiple of so many tokens: the engine keeps whole blocks alone, of 16
tokens on GPUs and 32 on CPUs. It is the same on both, so that a prompt is the same on both."""

# Left out tokens are shown as what people write there.
_GAP = "\n[...]\n"
# Neutral marks, of which the first that is one token pads: a line of them says nothing.
_PADS = ("-", ".", "=", "\n", " ")


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """Prefix and suffix of a task's prompts; `cutting` bounds the ticket between them."""

    chat: Chat
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    cutting: Cutting

    @classmethod
    def of(
        cls,
        chat: Chat,
        prompt: Prompt,
        codes: tuple[str, ...] | None = None,
        *,
        max_ticket_tokens: int = 1024,
    ) -> "ChatPrompt":
        """The prompt in the model's own form, answered by `codes` [K] or, without, by names.

        Raises `ConfigError` when there is no room for any ticket.
        """
        frame = chat.frame
        [system, open_, close, gap] = chat.texts([prompt.system(codes) + "\n", OPEN, CLOSE, _GAP])
        if max_ticket_tokens < 4 * len(gap):
            raise ConfigError(f"judge.max_ticket_tokens: must be at least {4 * len(gap)}")
        before = [*chat.template(frame.before), *system]
        between = [*chat.template(frame.between), *open_]
        padding = _padding(chat, len(before) + len(between))
        return cls(
            chat,
            (*before, *padding, *between),
            (*close, *chat.template(frame.after)),
            Cutting(max_ticket_tokens, tuple(gap)),
        )

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt there can be."""
        return len(self.prefix) + self.cutting.budget + len(self.suffix)

    def encode(self, texts: Sequence[str]) -> list[TicketTokens]:
        """Whole prompts, one for each text."""
        safe = [escaped(text) for text in texts]
        shortened = [self.cutting.shortened(text) for text in safe]
        return [
            self._whole(ids, len(short) < len(text))
            for ids, short, text in zip(self.chat.texts(shortened), shortened, safe, strict=True)
        ]

    def _whole(self, ids: list[int], shortened: bool) -> TicketTokens:
        fitted = self.cutting.fitted(ids)
        cut = shortened or len(fitted) < len(ids)
        return TicketTokens([*self.prefix, *fitted, *self.suffix], cut)


def _padding(chat: Chat, length: int) -> Sequence[int]:
    """What is missing to whole blocks; nothing where the tokenizer has no neutral token."""
    single = chain.from_iterable(ids for ids in chat.texts(_PADS) if len(ids) == 1)
    mark = next(single, None)
    return [] if mark is None else [mark] * (-length % BLOCK)
