"""What the page shows, in its order."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.commands_page.world import World


@dataclass(frozen=True)
class Step:
    """A command and the exit code it must end with; or the word at which it is interrupted."""

    command: str
    code: int = 0
    until: str | None = None


@dataclass(frozen=True)
class Section:
    """Steps under a title; `servers` says that they need Kafka, Triton or a service."""

    title: str
    text: str
    steps: tuple[Step, ...]
    before: Callable[[World], None] | None = None
    servers: bool = False


SECTIONS = (
    Section(
        "Find your way",
        "The verbs are listed by what they are for. Each has a help text with examples. A typo is"
        " one\nline with what was probably meant.",
        (
            Step("streamer --help"),
            Step("streamer calibrate --help"),
            Step("streamer --version"),
            Step("streamer tial", 2),
            Step("streamer tail --jsno", 2),
            Step("streamer check", 2),
        ),
    ),
    Section(
        "Let the shell complete",
        "`streamer completion bash` (or zsh, or fish) prints a script. Verbs, options, their values"
        " and\nfiles are completed then.",
        (
            Step("streamer completion bash > streamer.bash"),
            Step("source streamer.bash; complete -p streamer"),
        ),
    ),
    Section(
        "Write the configuration",
        "At a terminal `streamer init` asks. Here the options say what it would ask for, and a file"
        " of\ntickets shows where id and text are. With Kafka in reach it looks there instead.",
        (
            Step("head -1 tickets.jsonl"),
            Step(
                "streamer init --topic helpdesk.tickets --labels billing,bug,question"
                " --from-sample tickets.jsonl"
            ),
            Step("cat streamer.yaml"),
            Step("streamer check"),
            Step("streamer check --json"),
        ),
    ),
    Section(
        "Train",
        "With examples at hand, take the `#` away before `data`. Without `workers` the judge is"
        " trained\ntoo. These examples are few and easy; yours are not.",
        (
            Step("head -3 examples.csv"),
            Step("streamer train workers", 2),
            Step("sed -i 's/# data:/data:/' streamer.yaml"),
            Step("streamer train workers"),
            Step("streamer train workers --task topic --json"),
        ),
    ),
    Section(
        "Know the judge",
        "`streamer judge` is a service. With `--try` or `--test` it tells of the judge and ends,"
        " under the\ninterpreter of its environment: [judge.md](judge.md#know-your-judge) has what"
        " it says.",
        (Step("streamer judge --help"),),
    ),
    Section(
        "Connect",
        "`check --connect` says what is missing, the first thing to mend first. Topics it asks for"
        " can be\nmade by `streamer topics --create`, or with the commands that it prints.",
        (
            Step("streamer check --connect", 2),
            Step("streamer topics --create --partitions 1"),
            Step("streamer topics"),
            Step("streamer check --connect", 2),
        ),
        before=World.starts_kafka,
        servers=True,
    ),
    Section(
        "Run the services",
        "In production each is a process of its own. On one machine `streamer up` runs them all,"
        " and\n`streamer demo` plays real tickets through them.",
        (
            Step("streamer check --connect"),
            Step("streamer classify", until="listening on"),
            Step("streamer monitor", until="http://"),
        ),
        before=World.starts_triton_and_trains_the_judge,
        servers=True,
    ),
    Section(
        "Send tickets, follow labels",
        "Classify runs meanwhile.",
        (
            Step("streamer send tickets.jsonl"),
            Step("streamer tail --beginning --count 3"),
            Step("streamer tail --beginning --count 1 --json"),
        ),
        before=World.starts_classify,
        servers=True,
    ),
    Section(
        "See what happened to a ticket",
        "Its way with places and times, every vote, the rule and the label.",
        (Step("streamer inspect T-2"),),
        servers=True,
    ),
    Section(
        "Mend what failed",
        "A program has sent a ticket that is no JSON. Nothing is dropped without being named.",
        (
            Step("streamer dead list"),
            Step("streamer dead show 0:0"),
            Step("streamer dead replay 0:0 --dry-run"),
            Step("streamer dead drop 0:0"),
            Step("streamer dead list"),
        ),
        servers=True,
    ),
    Section(
        "Old tickets, and tickets to forget",
        "Both say first what they would do.",
        (
            Step("streamer backfill --from 1h --dry-run"),
            Step("streamer erase T-3 --dry-run"),
        ),
        servers=True,
    ),
    Section(
        "Take the log out",
        "The log holds what all workers and the judge said of the audited tickets.",
        (
            Step("streamer log export log.parquet"),
            Step("streamer log export log.parquet --since 2026-01-31T00:00:00Z --json"),
        ),
        servers=True,
    ),
    Section(
        "Choose a rule, and prove it",
        "From a week of such a log. [choosing.md](choosing.md) says which wish suits whom.",
        (
            Step("streamer replay week.parquet"),
            Step("streamer replay week.parquet --rule chow:0.2"),
            Step("streamer calibrate week.parquet --task topic --fidelity 0.8"),
            Step("streamer calibrate week.parquet --task topic --judge-budget 15%"),
            Step("streamer evaluate week.parquet --out report"),
        ),
        before=World.has_a_log,
    ),
    Section(
        "Align workers with the judge",
        "The log has no text, so the tickets come from a file. [align.md](align.md) says what is"
        " learnt,\nand how to read this.",
        (
            Step("streamer align week.parquet --tickets week.jsonl --dry-run"),
            Step("streamer align week.parquet --tickets week.jsonl --json | head -c 51"),
        ),
        before=World.has_texts,
    ),
    Section(
        "Try a new version",
        "One that was aligned is asked beside the one that serves. [learning.md](learning.md) says"
        " how it\ngoes on.",
        (
            Step("echo 'learned: learned.json' >> streamer.yaml"),
            Step("streamer learn start week.parquet --worker topic_word=2 --share 25%"),
            Step("streamer check"),
        ),
    ),
    Section(
        "Promote it, or go back",
        "From the log of the days after. A calibration is of its versions, so another is made for"
        " the\nversion on trial.",
        (
            Step("streamer learn judge days.parquet"),
            Step(
                "streamer calibrate days.parquet --task topic --judge-budget 15% --trial"
                " --out topic.2.json"
            ),
            Step("streamer learn promote days.parquet", 2),
            Step("streamer learn promote days.parquet --calibration topic.2.json"),
            Step("streamer learn status"),
            Step("streamer learn rollback"),
            Step("streamer learn status"),
        ),
        before=World.has_a_log_of_a_trial,
    ),
    Section(
        "Know the records",
        "Every record on a topic has a JSON Schema.",
        (Step("streamer schema label | head -12"),),
    ),
)
