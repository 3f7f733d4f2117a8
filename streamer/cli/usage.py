"""How the command explains itself: help in one look, and mistakes in one line."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from streamer.words import did_you_mean

_WIDEST = 100
_EVERYWHERE = ("--config", "--kafka", "--triton", "--set")


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are one line, with what was probably meant."""

    def __init__(self, **given: Any) -> None:
        # Short forms of options would break in scripts as soon as another option begins alike.
        super().__init__(**{"formatter_class": _Format, "allow_abbrev": False, **given})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the help is, and exit with 2."""
        # Only the file's end of a message could hold more lines: what a user has typed.
        line = " ".join(message.split())
        self.exit(2, f"{self.prog}: {line} (see {self.prog} --help)\n")

    def read(self, words: Sequence[str] | None = None) -> argparse.Namespace:
        """The options that the words mean; exits with 2 and one line where they mean none.

        Without words it is the command line.
        """
        options, unknown = self.parse_known_args(words)
        if unknown:
            # Its verb knows better which option was meant.
            getattr(options, "usage", self)._refuse(unknown[0])
        return options

    def _refuse(self, word: str) -> NoReturn:
        options = [name for name in self._option_string_actions if name.startswith("--")]
        if word.startswith("-"):
            self.error(f"there is no option {word}{did_you_mean(word.partition('=')[0], options)}")
        self.error(f"{word!r} is too much: {self._taken()}")

    def _taken(self) -> str:
        """What the verb takes, in words."""
        verb = self.prog.rpartition(" ")[2]
        words = [_name(action) for action in self._get_positional_actions()]
        options = [
            f"{action.option_strings[-1]} {action.metavar or action.dest.upper()}"
            for action in self._get_optional_actions()
            if action.nargs != 0 and action.option_strings[-1] not in _EVERYWHERE
        ]
        taken = f"{verb} takes {' '.join(words) or 'nothing but options'}"
        return f"{taken}; values stand behind {', '.join(options)}" if options else taken

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        what = "verb" if isinstance(action, argparse._SubParsersAction) else _name(action)
        hint = did_you_mean(str(value), choices) or f"; use one of {', '.join(choices)}"
        self.error(f"there is no {what} {value!r}{hint}")


class _Format(argparse.HelpFormatter):
    """Fills paragraphs; blocks with an indented line, such as examples, stay as they are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)
        self._width = min(self._width, _WIDEST)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = text.strip().split("\n\n")
        return "\n\n".join(
            block if "\n " in block else super(_Format, self)._fill_text(block, width, indent)
            for block in blocks
        )


def _name(action: argparse.Action) -> str:
    return "/".join(action.option_strings) or str(action.metavar or action.dest).upper()
