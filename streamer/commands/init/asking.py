"""Asks the person at the terminal, or nobody."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from typing import TypeVar

from streamer.errors import ConfigError
from streamer.terminal import clean, note, paint

T = TypeVar("T")


class Asking:
    """Questions with proposals; where nobody can be asked, the proposals are the answers."""

    def __init__(self, person: bool) -> None:
        self.person = person

    def ask(
        self, question: str, option: str, reads: Callable[[str], T], proposal: str | None = None
    ) -> T:
        """What `reads` makes of the answer, asked again where it raises `ArgumentTypeError`.

        Raises `ConfigError`, naming `option`, where nothing is proposed and nobody can be asked.
        """
        while True:
            answer = self._answer(question, proposal) if self.person else proposal
            if answer is None:
                raise ConfigError(f"init needs {option}: nobody can be asked for it")
            try:
                return reads(answer)
            except ArgumentTypeError as error:
                if not self.person:
                    raise ConfigError(f"{option}: {error}") from None
                note(f"  {clean(str(error))}")

    def choose(self, question: str, option: str, among: Sequence[str], proposal: str | None) -> str:
        """One of these, by name or number, or any other name."""
        if self.person:
            for number, name in enumerate(among, 1):
                note(f"  {number:>2}  {clean(name)}")
        return self.ask(question, option, lambda answer: _one(answer, among), proposal)

    def _answer(self, question: str, proposal: str | None) -> str:
        hint = f" [{clean(proposal)}]" if proposal else ""
        sys.stderr.write(f"{paint(question, 'bold', stream=sys.stderr)}{hint}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise ConfigError("no answer, so nothing was written: run `streamer init` again")
        return line.strip() or proposal or ""


def _one(answer: str, among: Sequence[str]) -> str:
    if answer.isdecimal() and 0 < int(answer) <= len(among):
        return among[int(answer) - 1]
    if not answer:
        raise ArgumentTypeError("a name is needed")
    return answer
