"""`streamer init`: a streamer.yaml for the user's own topic."""

import sys
from collections.abc import Iterator
from pathlib import Path

from streamer.commands.init.asking import Asking
from streamer.commands.init.document import Answers, document
from streamer.commands.init.interview import InitOptions, interview
from streamer.config import load
from streamer.errors import ConfigError
from streamer.terminal import paint, tell

__all__ = ["InitOptions", "run"]


def run(options: InitOptions, *, sample: Path | None, out: Path, agreed: bool, force: bool) -> int:
    """Ask for what the options leave open, write `out`, and say what to do next.

    With `sample`, tickets are looked at in that file, else in Kafka where it answers. `agreed`
    takes what is proposed without asking. Raises `ConfigError`.
    """
    if out.exists() and not force:
        raise ConfigError(f"{out} is there already: say --force to write over it, or --out FILE")
    answers = interview(options, Asking(sys.stdin.isatty() and not agreed), sample)
    _write(document(answers), out)
    for line in _told(out, answers):
        tell(line)
    return 0


def _write(text: str, out: Path) -> None:
    """The file takes its name when it is known to be right."""
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        load(unfinished)
        unfinished.replace(out)
    except OSError as error:
        raise ConfigError(f"can't write {out}: {error.strerror}; make its folder") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _told(out: Path, answers: Answers) -> Iterator[str]:
    task = answers.task
    named = "" if out == Path("streamer.yaml") else f" --config {out}"
    steps = {
        f"streamer check{named}": "is the file right?",
        f"streamer topics --create{named}": "make the topics that labels and the rest go to",
        f"streamer train{named}": f"workers and judge, once tasks.{task}.data names your examples",
        f"streamer check --connect{named}": "what is still missing?",
        f"streamer up{named}": "everything on this machine, to try it",
    }
    width = max(map(len, steps))
    guesses = f" with guesses for {' and '.join(answers.guessed)}" if answers.guessed else ""
    yield f"wrote {out}{guesses}. Next:"
    for command, why in steps.items():
        yield f"  {paint(f'{command:<{width}}', 'bold')}  {why}"
