"""What classify does with people's answers: they become labels that stand over all others."""

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from streamer.errors import TicketError
from streamer.observe.ticket_trace import TicketTrace
from streamer.observe.tracing import Tracing
from streamer.records.answer import Answer
from streamer.records.identity import TicketIdentity
from streamer.records.label import Label, Rule
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, log_json
from streamer.records.times import milliseconds, rfc3339
from streamer.services.classify.observing import Observing
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission, Record, Settled

REVISION = 2
PERSON = Rule("person", 1, 1)
_LARGEST_OFFSET = 2**63

Gold = Callable[[Sequence[str]], NDArray[np.bool_]]
Read = tuple[Record, Answer, TicketTrace]


class AnswersHandler:
    """Publishes answers as final labels of a person, and logs them.

    Any label may be corrected so, one that was never sent to a person too; of several answers to
    one decision the last in the labels topic is the state. What can't be such an answer becomes a
    dead letter. `source` is the input's name, `label_sets` has those of the tasks by name, and
    `gold` says of N ticket ids, [N], which belong to the sample that counts as the truth. Without a
    table (`has_table`), which alone knows what stands otherwise, nothing can be released.
    """

    def __init__(
        self,
        *,
        source: str,
        label_sets: Mapping[str, LabelSet],
        gold: Gold,
        labels_topic: str,
        log_topic: str,
        dead_letters: DeadLetters,
        tracing: Tracing,
        observing: Observing,
        has_table: bool = False,
    ) -> None:
        self._has_table = has_table
        self._source = source
        self._label_sets = label_sets
        self._gold = gold
        self._labels_topic = labels_topic
        self._log_topic = log_topic
        self._dead_letters = dead_letters
        self._tracing = tracing
        self._observing = observing

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled], None]:
        """Yields one group: dead letters, and a label and a log record for each answer."""
        seen_ms = time.time() * 1000
        read, group = self._read(batch, int(seen_ms * 1e6))
        gold = self._gold([answer.ticket_id for _, answer, _ in read]).tolist()
        decided_at = rfc3339(int(seen_ms))
        traces = [trace for _, _, trace in read]
        with self._tracing.batch(batch[0].topic, traces, len(batch)):
            for (record, answer, trace), is_gold in zip(read, gold, strict=True):
                trace.decided(answer.task, answer.label, "person", rule=PERSON)
                group += self._emissions(record, answer, trace, is_gold, decided_at)
            yield group
        for _, _, trace in read:
            trace.end()
        self._observing.answered([answer for _, answer, _ in read], seen_ms)
        self._observing.batch_done(batch, seen_ms)

    def _read(
        self, batch: Sequence[Record], received_ns: int
    ) -> tuple[list[Read], list[Emission | Settled]]:
        read: list[Read] = []
        refused: list[Emission | Settled] = []
        for record in batch:
            try:
                answer = _answer(record.value or b"")
                identity = self._checked(answer)
            except TicketError as error:
                refused.append(self._dead(record, error, received_ns))
                continue
            trace = self._tracing.ticket(record.headers, identity.trace_id, record, received_ns)
            trace.identify(answer.ticket_id)
            read.append((record, answer, trace))
        return read, refused

    def _dead(self, record: Record, error: TicketError, received_ns: int) -> Emission:
        trace = self._tracing.record(record, received_ns)
        trace.failed(error.reason)
        headers = trace.headers(self._dead_letters.topic)
        trace.end()
        return self._dead_letters.emission(record, error, headers)

    def _checked(self, answer: Answer) -> TicketIdentity:
        """The identity of the ticket that is answered; raises `TicketError`."""
        position, label_set = answer.position, self._label_sets.get(answer.task)
        if label_set is None:
            raise TicketError("unknown_task", f"no task {answer.task!r} is configured")
        if not answer.release:
            _check_label(answer, label_set)
        elif not self._has_table:
            raise TicketError("no_table", "only a table can release: name topics.current, run one")
        identity = TicketIdentity(
            position.source, position.topic, position.partition, position.offset
        )
        if position.source != self._source or answer.decision_id != identity.decision_id(
            answer.task
        ):
            raise TicketError(
                "foreign_decision", "decision_id doesn't follow from position and task: copy both"
            )
        return identity

    def _emissions(
        self, record: Record, answer: Answer, trace: TicketTrace, gold: bool, decided_at: str
    ) -> list[Emission]:
        label = _label(answer, decided_at)
        topics = {self._labels_topic: label.to_json()}
        if not answer.release:  # which says nothing about what is right
            topics[self._log_topic] = log_json(_log(answer, gold))
        return [
            Emission(record, topic, label.key, value, trace.headers(topic))
            for topic, value in topics.items()
        ]


def _check_label(answer: Answer, label_set: LabelSet) -> None:
    if answer.label_set != label_set.version:
        raise TicketError("other_label_set", f"of {answer.label_set}, not {label_set.version}")
    if answer.label not in label_set.index:
        raise TicketError("unknown_label", f"{answer.label!r} is none of {answer.task}")


def _answer(value: bytes) -> Answer:
    try:
        answer = Answer.from_json(value)
    except ValueError as error:
        raise TicketError("unreadable_answer", str(error)) from None
    *words, (source, topic, partition, offset), _ = astuple(answer)
    if not all((*words, source, topic)):
        raise TicketError("unreadable_answer", "an empty field")
    if not all(0 <= number < _LARGEST_OFFSET for number in (partition, offset)):
        raise TicketError("unreadable_answer", "position is no place in a topic")
    if milliseconds(answer.at) is None:
        raise TicketError("unreadable_answer", "`at` is no RFC 3339 time")
    return answer


def _label(answer: Answer, decided_at: str) -> Label:
    """The ticket's own time is not known here: that of the answer stands for it."""
    return Label(
        ticket_id=answer.ticket_id,
        task=answer.task,
        label=answer.label,
        confidence=None,
        source="person",
        revision=REVISION,
        final=True,
        votes=(),
        rule=PERSON,
        calibration=None,
        label_set=answer.label_set,
        decision_id=answer.decision_id,
        position=answer.position,
        created_at=answer.at,
        decided_at=decided_at,
        released=answer.release,
    )


def _log(answer: Answer, gold: bool) -> AnswerLog:
    return AnswerLog(
        decision_id=answer.decision_id,
        ticket_id=answer.ticket_id,
        task=answer.task,
        label_set=answer.label_set,
        at=answer.at,
        label=answer.label,
        reviewer=answer.reviewer,
        gold=gold,
    )
