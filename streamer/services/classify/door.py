"""The one place where a record of the input becomes a ticket, a deletion or a dead letter."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from streamer.errors import TicketError, Unavailable
from streamer.observe.tracing import Tracing
from streamer.records.dead_letter import attempts
from streamer.records.deletion import deletion_headers
from streamer.records.identities import digests, trace_ids
from streamer.records.label import label_key
from streamer.records.rank import Place
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.failing import Failing
from streamer.services.intake.decoding import FAILED
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission, Record, Settled

PAUSE = 0.5
LONGEST_PAUSE = 5.0

T = TypeVar("T")
_Deletion = tuple[str, list[Emission]]

log = logging.getLogger(__name__)


class Read(NamedTuple):
    """What a batch holds: tickets, and what is published before and after their labels.

    `deletions` of tickets are among that; `no_text` has, by pointer, how many had no text there.
    """

    arrivals: list[Arrival]
    before: Sequence[Emission | Settled]
    after: Sequence[Emission | Settled]
    deletions: int
    no_text: Mapping[str, int]


class Door:
    """Reads batches of the input called `source`.

    What fails by a record alone is that record's dead letter, and `failing` is told. While the
    decoder says that it can't read now, the batch waits. `labels` is the topic on which deletions
    are passed on, once for each of the `tasks`.
    """

    def __init__(
        self,
        *,
        source: str,
        ticket_reader: TicketReader,
        tasks: Collection[str],
        labels: str,
        dead_letters: DeadLetters,
        failing: Failing,
        tracing: Tracing,
    ) -> None:
        self._source = source
        self._ticket_reader = ticket_reader
        self._tasks = tuple(tasks)
        self._labels = labels
        self._dead_letters = dead_letters
        self._failing = failing
        self._tracing = tracing
        self._told = False

    async def read(self, batch: Sequence[Record], received_ns: int) -> Read:
        """The tickets in a batch, and what is published for the other records.

        A deletion comes after the labels of what lies before it, since compaction keeps what comes
        last; and before them where the ticket comes once more behind it.

        Raises `ConfigError` where too many records died, and whatever is no fault of a record.
        """
        arrivals: list[Arrival] = []
        settled: list[Emission | Settled] = []
        deletions: dict[int, _Deletion] = {}
        died: dict[int, str] = {}
        hashes = digests(self._source, batch)
        given = zip(batch, hashes, trace_ids(hashes), strict=True)
        for index, (record, digest, trace_id) in enumerate(given):
            try:
                outcome = self._one(record, digest, trace_id, received_ns)
            except Unavailable:
                outcome = await _later(partial(self._one, record, digest, trace_id, received_ns))
            if isinstance(outcome, Arrival):
                arrivals.append(outcome)
            elif isinstance(outcome, TicketError):
                settled.append(self._dead(record, trace_id, outcome, received_ns))
                # Whoever sends dead letters again looks at what becomes of them.
                if not attempts(record.headers):
                    died[index] = _kind(outcome)
            else:
                deletions[index] = outcome
        self._failing.look(died, len(batch))
        before, after = _around(batch, arrivals, deletions) if deletions else ([], [])
        no_text = self._ticket_reader.text.taken()
        return Read(arrivals, [*settled, *before], after, len(deletions), no_text)

    def _one(
        self, record: Record, digest: bytes, trace_id: str, received_ns: int
    ) -> Arrival | _Deletion | TicketError:
        try:
            if record.value is None:
                return self._deletion(record, trace_id, received_ns)
            ticket, created_ms = self._ticket_reader.read(record)
        except TicketError as error:
            return error
        trace = self._tracing.ticket(record.headers, trace_id, record, received_ns)
        trace.identify(ticket.id)
        if not (self._told or record.key is None or record.key == ticket.id.encode()):
            self._tell(record, ticket.id)
        return Arrival(record, ticket, digest, trace, created_ms)

    def _tell(self, record: Record, ticket_id: str) -> None:
        """Say once that deletions may not find their tickets."""
        if self._ticket_reader.is_keyed(record, ticket_id):
            return
        self._told = True
        log.warning(
            "%s[%d]@%d has another key than its ticket's id: a deletion under such a key finds no "
            "label. Let tickets and deletions have the id as their key",
            *(record.topic, record.partition, record.offset),
        )

    def _deletion(self, record: Record, trace_id: str, received_ns: int) -> _Deletion:
        ticket_id = self._ticket_reader.deleted(record)
        trace = self._tracing.ticket(record.headers, trace_id, record, received_ns)
        trace.identify(ticket_id)
        trace.deleted()
        # A label of before may be published after this, by the judge or a batch in flight.
        headers = [
            *trace.headers(self._labels),
            *deletion_headers(Place((record.topic, record.partition), record.offset)),
        ]
        trace.end()
        return ticket_id, [
            Emission(record, self._labels, label_key(ticket_id, task), None, headers)
            for task in self._tasks
        ]

    def _dead(
        self, record: Record, trace_id: str, error: TicketError, received_ns: int
    ) -> Emission:
        trace = self._tracing.ticket(record.headers, trace_id, record, received_ns)
        trace.failed(error.reason)
        dead = self._dead_letters.emission(record, error, trace.headers(self._dead_letters.topic))
        trace.end()
        return dead


def _around(
    batch: Sequence[Record], arrivals: Sequence[Arrival], deletions: Mapping[int, _Deletion]
) -> tuple[list[Emission], list[Emission]]:
    """The deletions before the labels of a batch, and those after."""
    before: list[Emission] = []
    after: list[Emission] = []
    indexes = {id(record): index for index, record in enumerate(batch)}
    newest = {arrival.ticket.id: indexes[id(arrival.record)] for arrival in arrivals}
    for index, (ticket_id, emissions) in deletions.items():
        (before if newest.get(ticket_id, -1) > index else after).extend(emissions)
    return before, after


async def _later(read: Callable[[], T]) -> T:
    """What `read` gives once the decoder can read again; the stream is held as long."""
    log.warning("input.decoder says that it can't read now: waiting for it")
    pause = PAUSE
    while True:
        await asyncio.sleep(pause)
        try:
            outcome = read()
        except Unavailable:
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            log.warning("input.decoder reads again")
            return outcome


def _kind(error: TicketError) -> str:
    """What a record died of; of the decoder's failures each class is one of its own."""
    return f"{error.reason} ({error.detail})" if error.reason == FAILED else error.reason
