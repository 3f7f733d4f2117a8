"""A model's chat template and tokens, asked of the server that has them (vLLM's /tokenize)."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from streamer.errors import ConfigError
from streamer.judging.endpoint.endpoint import Endpoint
from streamer.judging.endpoint.faults import Refused
from streamer.judging.endpoint.question import Question
from streamer.judging.llm.chat import SWITCHES, Frame, frame_of

T = TypeVar("T")

# Special tokens of all known families stand in <...>, which a ticket can't hold any more, or in
# [...]: of those a ticket's own are looked up.
_BRACKETS = re.compile(r"\[([^\[\]\s]{1,64})\]")
_LOOKED_UP = 16
_REMEMBERED = 10_000


class ServerWording:
    """A `Wording`. What is not awaited is for a thread of its own, while the judge is made.

    The server reads special tokens wherever they are spelled. In a ticket one in brackets gets a
    space behind the first; `escaped` has seen to those that hold a `<`.
    """

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        """To be made in the event loop; raises `ConfigError` where the template can't be used."""
        self._endpoint = endpoint
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._frame: Frame | None = None
        self._known: OrderedDict[str, bool] = OrderedDict()
        self.max_tokens = 0

    def fetch(self) -> None:
        """Learn the frame, in a thread; raises `ConfigError` where the template can't be used."""
        self._frame = frame_of(self, f"the server {self._endpoint.address.host}")

    @property
    def frame(self) -> Frame:
        assert self._frame is not None  # fetched while the judge is made
        return self._frame

    def template(self, text: str) -> list[int]:
        """See `Wording.template`."""
        return self._await(self._tokens(text))

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """See `Wording.texts`."""
        return self._await(self.read(texts))

    async def read(self, texts: Sequence[str]) -> list[list[int]]:
        """See `Wording.read`."""
        return list(await asyncio.gather(*(self._plain(text) for text in texts)))

    def answer(self, text: str) -> tuple[int, ...]:
        """See `Wording.answer`."""
        opening, whole = self.template(self.frame.after), self.template(self.frame.after + text)
        if whole[: len(opening)] != opening:
            raise ConfigError(
                f"the tokenizer joins an answer such as {text!r} to the chat template before it: "
                "its template must end in a special token or a line break"
            )
        return tuple(whole[len(opening) :])

    async def spelled(self, ids: Sequence[int]) -> str:
        """See `Wording.spelled`."""
        asked = {"tokens": list(ids)}
        return await self._endpoint.ask(
            self._question("/detokenize", asked, lambda said: str(said["prompt"]))
        )

    def render(self, messages: Sequence[tuple[str, str]], *, generate: bool) -> str | None:
        """The talk in the model's template; None where the template refuses it."""
        ids = self._await(self._rendered(messages, generate=generate))
        if ids is None:
            return None
        text = self._await(self.spelled(ids))
        # What is not read as it was written can't be put together from pieces.
        return text if self.template(text) == ids else None

    def first(self, text: str) -> int | None:
        """The first token of what the template wrote; None of nothing."""
        return self.template(text)[0] if text else None

    def question(self, text: str) -> Question[list[int]]:
        """Asks for the tokens of a text."""
        asked = {"prompt": text, "add_special_tokens": False}
        return self._question("/tokenize", asked, self._ids)

    async def _rendered(
        self, messages: Sequence[tuple[str, str]], *, generate: bool
    ) -> list[int] | None:
        talk = [{"role": role, "content": text} for role, text in messages]
        asked = {
            "messages": talk,
            "add_generation_prompt": generate,
            "chat_template_kwargs": SWITCHES,
        }
        try:
            return await self._endpoint.once(self._question("/tokenize", asked, self._ids))
        except Refused:
            return None

    async def _plain(self, text: str) -> list[int]:
        unknown = 0
        for name in list(dict.fromkeys(_BRACKETS.findall(text))):
            unknown += name not in self._known
            # Nobody makes us look up a thousand names: what comes late is spelled apart unseen.
            if unknown > _LOOKED_UP or await self._special(name):
                text = text.replace(f"[{name}]", f"[ {name}]")
        return await self._tokens(text)

    async def _special(self, name: str) -> bool:
        """Whether `[name]` is one token, as far as that was looked up."""
        if name in self._known:
            self._known.move_to_end(name)
            return self._known[name]
        special = self._known[name] = len(await self._tokens(f"[{name}]")) == 1
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return special

    async def _tokens(self, text: str) -> list[int]:
        if not text:
            return []
        return await self._endpoint.ask(self.question(text))

    def _ids(self, said: Any) -> list[int]:
        self.max_tokens = int(said["max_model_len"])
        return [int(token) for token in said["tokens"]]

    def _question(
        self, path: str, asked: Mapping[str, Any], read: Callable[[Any], T]
    ) -> Question[T]:
        body = {"model": self._model, **asked}
        return Question(self._endpoint.address.root + path, body, read)

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result()
        except CancelledError:
            raise ConfigError("the start was given up; start the judge again") from None
