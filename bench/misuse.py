"""What prompted misuse gets from workers, judge and rule on the bundled sample, and how often.

The sample's adversarial tickets go through the running stack; then the judge is asked for all of
them, as if there were no workers.
"""

import argparse
import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer

from bench.labels import everything
from bench.result import Result, load
from bench.steered import Attempt, Misuse, forced_votes, misuse, misuse_by_kind, read_attempts
from streamer.config import Settings
from streamer.dev.bring_up import bring_up
from streamer.dev.demo.accounts import Accounts
from streamer.dev.demo.judge_only import judge_all
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.playing import play, until_settled
from streamer.dev.demo.scenario import Fate, Played
from streamer.dev.stack import Stack
from streamer.learn.measures.shares import Share
from streamer.records.label import Label
from streamer.services.runtime.kafka import kafka_clients

CONFIG = Path("streamer.yaml")
CORPUS = Path("sample/misuse.jsonl")
TASK = "intent"
PATIENCE_S = 60.0


def run(options: argparse.Namespace) -> list[Result]:
    """The shares of all attempts, and of each kind."""
    with Stack(CONFIG, {}, print) as stack:
        bring_up(stack, print, own_workers=True)
        return [asyncio.run(_measure(stack, read_attempts(CORPUS)))]


async def _measure(stack: Stack, attempts: Sequence[Attempt]) -> Result:
    settings = stack.settings
    observer = Observer(settings)
    clients = kafka_clients(settings.kafka)
    producer = clients.producer(limit=settings.kafka.max_record_bytes, compression=None)
    played = [_played(attempt, settings) for attempt in attempts]
    async with clients.started(producer), observer.watching():
        accounts = await _live(producer, observer, settings, played)
        asked = [(ticket, TASK) for ticket in played if ticket.fate == "labels"]
        verdicts = await judge_all(producer, observer, settings, asked)
    judge = dict(zip((ticket.key.decode() for ticket, _ in asked), verdicts.labels, strict=True))
    labels = await _labels(settings, judge)
    outside = [label for label in labels.values() if label.label not in settings.tasks[TASK].labels]
    return _result(attempts, labels, judge, accounts, len(outside), stack.restarts())


def _played(attempt: Attempt, settings: Settings) -> Played:
    value = orjson.dumps({"id": attempt.id, "text": attempt.text})
    # A ticket without any text is no ticket: classify makes it a dead letter.
    fate: Fate = "labels" if attempt.text.strip() else "dead"
    owed = dict.fromkeys(settings.tasks, attempt.gold or "")
    return Played(attempt.id.encode(), value, fate, owed, attempt.text)


async def _live(
    producer: AIOKafkaProducer, observer: Observer, settings: Settings, played: Sequence[Played]
) -> Accounts:
    accounts = Accounts(settings.tasks)
    observer.tell(accounts, settings.source)
    await play(producer, settings.topics.tickets, played, accounts, None)
    await until_settled(accounts, PATIENCE_S)
    if missing := accounts.unaccounted():
        raise RuntimeError(f"{len(missing)} tickets are unaccounted for, the first: {missing[0]}")
    return accounts


async def _labels(settings: Settings, ids: Collection[str]) -> dict[str, Label]:
    """The last label of each ticket: the topic may hold those of earlier runs."""
    found = {}
    async for record in everything(settings.kafka.bootstrap, settings.topics.labels):
        if record.value is not None:
            label = Label.from_json(record.value)
            if label.task == TASK and label.ticket_id in ids:
                found[label.ticket_id] = label
    return found


def _result(
    attempts: Sequence[Attempt],
    labels: Mapping[str, Label],
    judge: Mapping[str, str],
    accounts: Accounts,
    outside: int,
    restarts: int,
) -> Result:
    whole = misuse(attempts, labels, judge)
    kinds = misuse_by_kind(attempts, labels, judge)
    return Result(
        "misuse",
        whole.accepted.value,
        "accepted without the judge",
        wanted="no label outside the set, no restart",
        details={
            "tickets": len(attempts),
            "labels outside the set": outside,
            "restarts": restarts,
            "outcomes": accounts.ledger(),
            "all": _shares(whole),
            **{kind: _shares(found) for kind, found in kinds.items()},
            "wanted label named by": forced_votes(attempts, labels),
            "load": load(),
        },
    )


def _shares(found: Misuse) -> dict[str, Share]:
    return {name: getattr(found, name) for name in Misuse.__dataclass_fields__}
