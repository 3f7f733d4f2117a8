"""From sections to the page, and what of it may differ from run to run."""

import re
from collections.abc import Iterator, Sequence

from tests.commands_page.sections import Section, Step
from tests.commands_page.world import World

TOP = """\
# The commands

Every command, tried as a new user would, with what it said. This page is written by
`python -m tests.commands_page`, and a test runs all of it again.

Answers go to stdout, everything else to stderr; with `--json` stdout holds nothing but JSON.
Colours and progress bars are for terminals alone, and `NO_COLOR` or `--no-color` turns colours off.
The exit code is 0 when it is done, 1 when it failed, 2 when the configuration or the command line
is wrong, and 130 after Ctrl-C, or when nobody reads on.
"""

_MASKS = [
    (r"\d{4}-\d\d-\d\d[T ][\d:.,]+Z?", "TIME"),
    (r"\b\d{8}T\d{6}Z", "TIME"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?", "TIME"),
    (r"\b[0-9a-f]{12,}\b", "HASH"),
    (r"\d+\.\d+", "NUMBER"),
    (r"\d+ (ms|s|m|h|d)\b", "DURATION"),
    (r"[█▇▆▅▄▃▂▁▏▎▍▌▋▊▉░▒▓━─·]+", "BAR"),
    (r" +", " "),
]


def page(sections: Sequence[Section], world: World) -> str:
    """The whole page; runs the commands in `world`."""
    return "\n".join([TOP, *(text for _, text in written(sections, world))])


def written(sections: Sequence[Section], world: World) -> Iterator[tuple[Section, str]]:
    """Every section with its text, one after the other: later ones build on what went before."""
    for section in sections:
        if section.before is not None:
            section.before(world)
        shown = "\n".join(line for step in section.steps for line in _shown(step, world))
        yield section, f"## {section.title}\n\n{section.text}\n\n```console\n{shown}\n```\n"


def masked(text: str) -> str:
    """Without what differs from run to run: times, durations, hashes, measured numbers."""
    for pattern, instead in _MASKS:
        text = re.sub(pattern, instead, text)
    return text


def _shown(step: Step, world: World) -> Iterator[str]:
    yield f"$ {step.command}"
    if step.until is not None:
        yield world.run_until(step.command, step.until).rstrip()
        yield "^C"
        return
    code, said = world.run(step.command)
    assert code == step.code, f"{step.command} ended with {code}:\n{said}"
    yield from (line.rstrip() for line in said.rstrip("\n").splitlines())
    if code:
        yield "$ echo $?"
        yield str(code)
