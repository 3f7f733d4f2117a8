"""A model's way of talking: its tokenizer and its chat template, as they lie in its folder.

Here all text becomes token ids, once: ids go into the engine. Two ways of tokenising are kept
apart. What the template writes may hold special tokens. What anybody else wrote, tickets above all,
is read as the characters that it consists of, whatever they spell.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from streamer.errors import ConfigError, in_words

_SYSTEM, _USER, _ANSWER = "STREAMERSYSTEMTEXT", "STREAMERUSERTEXT", "STREAMERANSWERTEXT"
# Thinking is switched off by the names that templates have for it; and the date is no news: one
# that changed every day would be another prompt every day, with other scores.
SWITCHES = {"enable_thinking": False, "thinking": False, "date_string": "26 Jul 2024"}
_DAY = "2024-07-26"
_CLOSED = "\n\n</think>\n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """What the template writes before the system text, between it and the user's, and after.

    `after` ends where the model's answer begins, `end` is the token that ends an answer. A template
    that knows no system text gets both in one message of the user, `between` a blank line.
    """

    before: str
    between: str
    after: str
    end: int


class Wording(Protocol):
    """How one model is talked to: its template's frame, and text as its tokens."""

    @property
    def frame(self) -> Frame: ...
    def template(self, text: str) -> list[int]:
        """Tokens of what the template wrote, with its special tokens."""

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of texts of anybody: never a special or an added one."""

    async def read(self, texts: Sequence[str]) -> list[list[int]]:
        """As `texts`, of tickets while they are judged."""

    def answer(self, text: str) -> tuple[int, ...]:
        """Tokens of `text` after the template's last words; raises `ConfigError`."""

    async def spelled(self, ids: Sequence[int]) -> str:
        """What tokens stand for, special ones by their names."""


class Template(Protocol):
    """A chat template and the tokenizer that goes with it."""

    def render(self, messages: Sequence[tuple[str, str]], *, generate: bool) -> str | None:
        """The talk of roles and texts as one text; None where the template refuses it."""

    def first(self, text: str) -> int | None:
        """The first token of what the template wrote; of nothing, the one that ends a text."""


class Chat:
    """Tokenizer and chat template of one model. Safe to use from several threads."""

    def __init__(self, tokenizer: str, frame: Frame) -> None:
        """`tokenizer` is the text of tokenizer.json."""
        from tokenizers import Tokenizer

        self.frame = frame
        self._templates = _plain(Tokenizer.from_str(tokenizer))
        content = json.loads(tokenizer)
        added = content.get("added_tokens") or []
        # Not every token that a template uses is marked as special: that of "<think>" is not.
        content["added_tokens"] = [{**token, "special": True} for token in added]
        self._texts = _plain(Tokenizer.from_str(json.dumps(content)))
        self._texts.encode_special_tokens = True
        unknown = _unknown(content.get("model") or {})
        self._reserved = {int(token["id"]) for token in added if token["content"] != unknown}

    @classmethod
    def at(cls, folder: Path) -> "Chat":
        """From a folder in Hugging Face layout: tokenizer.json and a chat template.

        Raises `ConfigError` where they are missing or can't be used.
        """
        from transformers import AutoTokenizer

        try:
            text = (folder / "tokenizer.json").read_text(encoding="utf-8")
            loaded = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{folder} holds no usable tokenizer ({in_words(error)}); judge.model must be a "
                "folder in Hugging Face layout, with tokenizer.json and a chat template"
            ) from error
        if not loaded.chat_template:
            raise ConfigError(
                f"{folder} has no chat template: take an instruction-tuned model, or put its "
                "chat_template.jinja there"
            )
        return cls(text, frame_of(_Loaded(loaded), str(folder)))

    @property
    def vocabulary(self) -> int:
        """How many tokens there are, special ones included."""
        return int(self._texts.get_vocab_size())

    def template(self, text: str) -> list[int]:
        """Tokens of what the template wrote, with its special tokens."""
        return list(self._templates.encode(text, add_special_tokens=False).ids)

    def texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of texts of anybody: never a special or an added one."""
        encodings = self._texts.encode_batch(list(texts), add_special_tokens=False)
        # A word-level vocabulary may know "</s>" as a word too; it is left out then.
        return [[i for i in encoding.ids if i not in self._reserved] for encoding in encodings]

    async def read(self, texts: Sequence[str]) -> list[list[int]]:
        """See `Wording.read`; here, since a thread would cost more than a ticket does."""
        return self.texts(texts)

    def written(self, ids: Sequence[int]) -> str:
        """What tokens stand for, special ones by their names."""
        return str(self._templates.decode(list(ids), skip_special_tokens=False))

    async def spelled(self, ids: Sequence[int]) -> str:
        """See `Wording.spelled`."""
        return self.written(ids)

    def answer(self, text: str) -> tuple[int, ...]:
        """Tokens of `text` as an answer, that is after the template's last words.

        Raises `ConfigError` where they run into one.
        """
        opening = self.template(self.frame.after)
        whole = self.template(self.frame.after + text)
        if whole[: len(opening)] != opening:
            raise ConfigError(
                f"the tokenizer joins an answer such as {text!r} to the chat template before it: "
                "its template must end in a special token or a line break"
            )
        return tuple(whole[len(opening) :])


def _plain(tokenizer: Any) -> Any:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _unknown(model: dict[str, Any]) -> str | None:
    """The token for what the vocabulary lacks: any text may hold it."""
    if model.get("unk_id") is not None:
        return str(model["vocab"][model["unk_id"]][0])
    return model.get("unk_token")


def frame_of(template: Template, where: str) -> Frame:
    """The frame of a template that lies `where`; raises `ConfigError` where it can't be used."""
    pieces = _rendered(template, [("system", _SYSTEM), ("user", _USER)])
    if pieces is None:
        pieces = _rendered(template, [("user", f"{_SYSTEM}\n\n{_USER}")])
    if pieces is None:
        raise ConfigError(
            f"the chat template in {where} does not write what it is given, in this order: "
            "take another model, or correct its chat_template.jinja"
        )
    before, between, after = pieces
    if after.rfind("<think>") > after.rfind("</think>"):
        after = after.rstrip() + _CLOSED
    return Frame(before, between, after, _end(template, where))


def _rendered(
    template: Template, messages: Sequence[tuple[str, str]]
) -> tuple[str, str, str] | None:
    """What stands around the two texts; None where the template can't write them so."""
    text = template.render(messages, generate=True) or ""
    before, found_system, rest = text.partition(_SYSTEM)
    between, found_user, after = rest.partition(_USER)
    if not (found_system and found_user) or _SYSTEM in rest or _USER in after:
        return None
    return before, between, _opened(template, messages, after)


def _opened(template: Template, messages: Sequence[tuple[str, str]], asking: str) -> str:
    """What the template writes before an answer of its own: more than what asks for one, where a
    model first names the channel that it answers in (Harmony), or ends its thoughts.
    """
    text = template.render([*messages, ("assistant", _ANSWER)], generate=False) or ""
    own = text.partition(_USER)[2].partition(_ANSWER)[0]
    return own if own.startswith(asking) else asking


def _end(template: Template, where: str) -> int:
    talk = [("user", _USER), ("assistant", _ANSWER)]
    after = (template.render(talk, generate=False) or "").partition(_ANSWER)[2]
    found = template.first(after)
    if found is None:
        raise ConfigError(f"{where} names no token that ends an answer: give it an eos_token")
    return found


class _Loaded:
    """The template of a tokenizer of transformers."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def render(self, messages: Sequence[tuple[str, str]], *, generate: bool) -> str | None:
        from jinja2 import TemplateError

        talk = [{"role": role, "content": text} for role, text in messages]
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    talk,
                    tokenize=False,
                    add_generation_prompt=generate,
                    strftime_now=lambda _: _DAY,
                    **SWITCHES,
                )
            )
        except TemplateError:
            return None

    def first(self, text: str) -> int | None:
        if not text:
            found: int | None = self._tokenizer.eos_token_id
            return found
        return int(self._tokenizer.encode(text, add_special_tokens=False)[0])
