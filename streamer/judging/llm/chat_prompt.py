"""A task's prompt as token ids: the shared part, one ticket, and where the answer begins.

    prefix                                     ticket            suffix
    <template> system text, padding <template> <ticket> text ... </ticket> <template>

The prefix is the same for all tickets of a task, so that the engine computes it once and keeps it.
Labelled tickets that are chosen for each ticket stand behind it, before the ticket itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from streamer.errors import ConfigError
from streamer.judging.engine.cutting import Cutting
from streamer.judging.engine.tokens import TicketTokens
from streamer.judging.llm.chat import Wording
from streamer.judging.llm.escape import escaped
from streamer.judging.llm.prompt import CLOSE, OPEN, Prompt

BLOCK = 32
"""Prefixes are padded to a multiple of so many tokens: the engine keeps whole blocks alone, of 16
tokens on GPUs and 32 on CPUs. It is the same on both, so that a prompt is the same on both."""

# Left out tokens are shown as what people write there.
_GAP = "\n[...]\n"
# What a labelled ticket may take: it shows what its label is for, and need not be read whole.
_EXAMPLE_TOKENS = 128
# Neutral marks, of which the first that is one token pads: a line of them says nothing.
_PADS = ("-", ".", "=", "\n", " ")


Example = tuple[str, int]
"""A labelled ticket: its text, and the place of its label in the prompt's label set."""


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """Prefix and suffix of a task's prompts; `cutting` bounds the ticket between them.

    `answered` [K] is what stands between a labelled ticket and the next one, by its label;
    `beside` counts the labelled tickets that stand before each ticket.
    """

    chat: Wording
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    cutting: Cutting
    answered: tuple[tuple[int, ...], ...] = ()
    beside: int = 0

    @classmethod
    def of(
        cls,
        chat: Wording,
        prompt: Prompt,
        codes: tuple[str, ...] | None = None,
        *,
        max_ticket_tokens: int = 1024,
        beside: int = 0,
    ) -> "ChatPrompt":
        """The prompt in the model's own form, answered by `codes` [K] or, without, by names.

        Raises `ConfigError` when there is no room for any ticket.
        """
        frame = chat.frame
        system_text = prompt.system(codes, beside=beside > 0) + "\n"
        [system, open_, close, gap] = chat.texts([system_text, *prompt.around, _GAP])
        if max_ticket_tokens < 4 * len(gap):
            raise ConfigError(f"judge.max_ticket_tokens: must be at least {4 * len(gap)}")
        before = [*chat.template(frame.before), *system]
        between = [*chat.template(frame.between), *open_]
        answers = codes or prompt.label_set.labels
        padding = _padding(chat, len(before) + len(between))
        return cls(
            chat,
            (*before, *padding, *between),
            (*close, *chat.template(frame.after)),
            Cutting(max_ticket_tokens, tuple(gap)),
            tuple(map(tuple, chat.texts([f"{CLOSE}\n{answer}\n\n{OPEN}" for answer in answers]))),
            beside,
        )

    @property
    def longest(self) -> int:
        """Tokens of the longest prompt there can be."""
        answer = max(map(len, self.answered), default=0)
        beside = self.beside * (self._aside.budget + answer)
        return len(self.prefix) + beside + self.cutting.budget + len(self.suffix)

    def encode(
        self, texts: Sequence[str], examples: Sequence[Sequence[Example]] | None = None
    ) -> list[TicketTokens]:
        """Whole prompts, one for each text, with the `examples` that stand before each of them."""
        pieces = self._pieces(texts, examples)
        return self._whole(pieces, self.chat.texts([piece.text for piece in pieces]), examples)

    async def read(
        self, texts: Sequence[str], examples: Sequence[Sequence[Example]] | None = None
    ) -> list[TicketTokens]:
        """As `encode`, of tickets while they are judged."""
        pieces = self._pieces(texts, examples)
        tokens = await self.chat.read([piece.text for piece in pieces])
        return self._whole(pieces, tokens, examples)

    @property
    def _aside(self) -> Cutting:
        return replace(self.cutting, budget=min(self.cutting.budget, _EXAMPLE_TOKENS))

    def _pieces(
        self, texts: Sequence[str], examples: Sequence[Sequence[Example]] | None
    ) -> "list[_Piece]":
        """All texts that are somebody else's: those of the examples, then the tickets."""
        beside = [text for one in examples or () for text, _ in one]
        return [
            *(_Piece.of(text, self._aside) for text in beside),
            *(_Piece.of(text, self.cutting) for text in texts),
        ]

    def _whole(
        self,
        pieces: "Sequence[_Piece]",
        tokens: Sequence[list[int]],
        examples: Sequence[Sequence[Example]] | None,
    ) -> list[TicketTokens]:
        fitted = [piece.fitted(ids) for piece, ids in zip(pieces, tokens, strict=True)]
        shown = iter(fitted)
        before: list[list[int]] = [
            [token for _, label in one for token in (*next(shown)[0], *self.answered[label])]
            for one in examples or ()
        ]
        tickets = list(shown)
        before = before or [[]] * len(tickets)
        return [
            TicketTokens([*self.prefix, *ahead, *ids, *self.suffix], cut)
            for ahead, (ids, cut) in zip(before, tickets, strict=True)
        ]


class _Piece(NamedTuple):
    """A text made safe and of bounded length, and whether it is not whole."""

    text: str
    cut: bool
    cutting: Cutting

    @classmethod
    def of(cls, text: str, cutting: Cutting) -> "_Piece":
        safe = escaped(text)
        short = cutting.shortened(safe)
        return cls(short, len(short) < len(safe), cutting)

    def fitted(self, ids: list[int]) -> tuple[list[int], bool]:
        """Its tokens as far as they are read, and whether that is not all of them."""
        fitted = self.cutting.fitted(ids)
        return fitted, self.cut or len(fitted) < len(ids)


def _padding(chat: Wording, length: int) -> Sequence[int]:
    """What is missing to whole blocks; nothing where the tokenizer has no neutral token."""
    single = chain.from_iterable(ids for ids in chat.texts(_PADS) if len(ids) == 1)
    mark = next(single, None)
    return [] if mark is None else [mark] * (-length % BLOCK)
