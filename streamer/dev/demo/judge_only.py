"""Asks the judge for everything: what the stack would do without workers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from streamer.config import Settings
from streamer.dev.demo.accounts import PlayedOutcome
from streamer.dev.demo.observer import Observer
from streamer.dev.demo.scenario import Played
from streamer.errors import ModelError
from streamer.records.identity import TicketIdentity
from streamer.records.judge_request import Ballot, JudgeRequest
from streamer.records.label import Position, Rule
from streamer.records.ticket import Ticket
from streamer.records.times import rfc3339

SOURCE = "judge-only"

_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class JudgeOnlyVerdicts:
    """The judge's label of every (ticket, task), in the order asked, and how long all took."""

    labels: list[str]
    seconds: float


async def judge_all(
    producer: AIOKafkaProducer,
    observer: Observer,
    settings: Settings,
    asked: Sequence[tuple[Played, str]],
    patience_s: float = _PATIENCE_S,
) -> JudgeOnlyVerdicts:
    """Put a request for each (ticket, task) on the judge topic at once, and await the labels.

    They have a source and ticket ids of their own. Raises `ModelError` when the judge leaves any
    of them unanswered, and answers nothing for `patience_s` seconds.
    """
    answers = _Answers()
    observer.tell(answers, SOURCE)
    run = time.time_ns()
    began_ms = time.time() * 1000
    waiting = []
    for number, (played, task) in enumerate(asked):
        request = _request(settings, played, task, run, number)
        waiting.append(
            await producer.send(
                settings.topics.judge,
                request.to_json(),
                key=played.key,
                headers=[("traceparent", request.traceparent.encode())],
            )
        )
    await asyncio.gather(*waiting)
    await _all_answered(answers, len(asked), patience_s)
    labels = [answers.labels[number].detail for number in range(len(asked))]
    last_ms = max(outcome.at_ms for outcome in answers.labels.values())
    return JudgeOnlyVerdicts(labels, (last_ms - began_ms) / 1000)


class _Answers:
    def __init__(self) -> None:
        self.labels: dict[int, PlayedOutcome] = {}
        self.refused: dict[int, PlayedOutcome] = {}

    def found(self, outcome: PlayedOutcome) -> None:
        kept = self.labels if outcome.kind == "judge" else self.refused
        kept[outcome.position[1]] = outcome

    def deleted(self, ticket_id: str, task: str) -> None:
        """Nothing of ours is deleted."""


async def _all_answered(answers: _Answers, requests: int, patience_s: float) -> None:
    got, since = 0, time.monotonic()
    while len(answers.labels) < requests:
        await asyncio.sleep(_LOOK_EVERY_S)
        if len(answers.labels) > got:
            got, since = len(answers.labels), time.monotonic()
        if answers.refused or time.monotonic() - since > patience_s:
            raise ModelError(
                f"the judge answered {got} of {requests} requests and refused "
                f"{len(answers.refused)}; look into its log"
            )


def _request(settings: Settings, played: Played, task: str, run: int, number: int) -> JudgeRequest:
    identity = TicketIdentity(SOURCE, str(run), 0, number)
    created_at = rfc3339(int(time.time() * 1000))
    return JudgeRequest(
        ticket=Ticket(f"{SOURCE}:{played.key.decode()}", played.text, created_at),
        task=task,
        label_set=settings.tasks[task].label_set.version,
        ballot=Ballot((), ()),
        rule=Rule(SOURCE, 0, 0),
        decision_id=identity.decision_id(task),
        revision=0,
        purpose="decide",
        position=Position(SOURCE, str(run), 0, number),
        created_at=created_at,
        traceparent=f"00-{identity.trace_id}-{number + 1:016x}-00",
    )
