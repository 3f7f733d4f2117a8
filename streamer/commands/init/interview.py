"""What to ask for a new configuration, and what to propose after a look at some tickets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from streamer import words
from streamer.commands.check.propose import leaves, propose
from streamer.commands.init import peek
from streamer.commands.init.asking import Asking
from streamer.commands.init.document import OUTPUTS, Answers
from streamer.errors import ConfigError, StreamerError
from streamer.records.rows import rows
from streamer.terminal import cell, note

_BOOTSTRAP = "127.0.0.1:9092"
_ID, _TEXT = "/id", "/text"
_FALLBACK = {"id": _ID, "text": _TEXT}
_NOBODY = "because there is no terminal at which to ask for it"
_ROWS = 200
_FIELDS = 20

Tickets = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class InitOptions:
    """What the options have said already; None is asked for, or proposed."""

    bootstrap: str | None = None
    topic: str | None = None
    id: str | None = None
    text: tuple[str, ...] | None = None
    task: str | None = None
    labels: tuple[str, ...] | None = None


def interview(options: InitOptions, asking: Asking, sample: Path | None) -> Answers:
    """Everything a configuration needs; raises `ConfigError` where an answer can't be had."""
    if options.labels is None and not asking.person:
        raise ConfigError(f"init needs --labels, {_NOBODY}")
    seen: Tickets = list(islice(rows(sample), _ROWS)) if sample else []
    bootstrap = options.bootstrap or asking.ask("Kafka", "--bootstrap", str, _BOOTSTRAP)
    # Where the sample has shown all, Kafka need not be there yet.
    there = [] if sample else _topics(bootstrap)
    if options.topic is None and not (asking.person or _likely(there)):
        raise ConfigError(f"init needs --topic, {_NOBODY}")
    topic = options.topic or asking.choose("topic", "--topic", there, _likely(there))
    if not (options.id and options.text):
        seen = seen or (_tickets(bootstrap, topic) if topic in there else [])
    if there and topic not in there:
        hint = words.did_you_mean(topic, there) or ": nothing was seen of it"
        note(f"Kafka at {bootstrap} has no topic {topic}{hint}")
    proposal = propose(seen)
    if seen and asking.person:
        _show(seen[-1])
    guess = proposal.id or _ID, ",".join(proposal.text) or _TEXT
    ticket_id = options.id or asking.ask("pointer to the id", "--id", words.pointer, guess[0])
    text = options.text or asking.ask("to the text", "--text", words.pointers, guess[1])
    unseen = {
        "id": not (options.id or proposal.id) and ticket_id == _ID,
        "text": not (options.text or proposal.text) and text == (_TEXT,),
    }
    guessed = tuple(name for name, is_guess in unseen.items() if is_guess)
    _warn(guessed, len(seen))
    return Answers(
        bootstrap=bootstrap,
        topic=topic,
        id=ticket_id,
        text=text,
        guessed=guessed,
        task=options.task or asking.ask("name of the task", "--task", words.task, "topic"),
        labels=options.labels or asking.ask("labels, as bug,question", "--labels", words.labels),
    )


def _warn(guessed: Sequence[str], seen: int) -> None:
    if guessed:
        why = f"nothing like it is in the {seen} tickets seen" if seen else "no ticket was seen"
        are = "is a guess" if len(guessed) == 1 else "are guesses"
        pointers = " and ".join(f"{name} {_FALLBACK[name]}" for name in guessed)
        note(f"{why}: {pointers} {are}, and marked as such: correct the file")


def _topics(bootstrap: str) -> list[str]:
    try:
        return peek.topics(bootstrap)
    except (StreamerError, KafkaError, TimeoutError) as error:
        note(f"going on without a look at Kafka: {_reason(error)}")
        return []


def _tickets(bootstrap: str, topic: str) -> Tickets:
    try:
        tickets, others = peek.tickets(bootstrap, topic)
    except (StreamerError, KafkaError, TimeoutError) as error:
        note(f"going on without a look at {topic}: {_reason(error)}")
        return []
    note(f"looked at {len(tickets) + others} of the newest tickets in {topic}")
    if others:
        note(f"{others} of them are no JSON objects: they need input.decoder")
    return tickets


def _likely(topics: Sequence[str]) -> str | None:
    """The one topic that is named after tickets and is no output of ours."""
    ends = tuple(f".{name}" for name in OUTPUTS)
    likely = [name for name in topics if "ticket" in name.lower() and not name.endswith(ends)]
    return likely[0] if len(likely) == 1 else None


def _show(ticket: Mapping[str, Any]) -> None:
    note("fields of one of them:")
    for pointer, value in islice(leaves(ticket), _FIELDS):
        note(f"  {cell(pointer, 24)}  {cell(str(value), 60).rstrip()}")


def _reason(error: Exception) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    return "it doesn't answer in time" if isinstance(error, TimeoutError) else repr(error)
