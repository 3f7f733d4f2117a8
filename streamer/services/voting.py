"""Asks a task's workers as few times as the rule allows, and says what they decided."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import numpy as np

from streamer.decide.before_judge import BeforeJudge
from streamer.decide.decision import Decision
from streamer.observe.batch_trace import BatchTrace
from streamer.services.counts import Count, Marks, Outage, Rows, Seat
from streamer.services.provenance import Provenance
from streamer.services.seating import Seating
from streamer.workers.voter import Voter
from streamer.workers.wire import TextTensor

OUTAGE_PAUSE = 0.5


class Voting:
    """One task's workers under one rule.

    The first two are asked together, the third only for tickets on which its vote can still make
    a quorum; a rule that needs all asks all at once. `others` have no say, and are asked for the
    uniform stratum alone. `heat` are the temperatures and versions that the rule was made for.
    """

    def __init__(
        self,
        workers: Sequence[Voter],
        rule: BeforeJudge,
        on_outage: Outage,
        seating: Seating,
        provenance: Provenance,
        versions: Mapping[str, str] | None = None,
        others: Sequence[Voter] = (),
    ) -> None:
        self._workers = tuple(workers)
        self._rule = rule
        self._on_outage = on_outage
        self._seating = seating
        self._provenance = provenance
        self._versions = versions or {}
        self._others = tuple(others)

    @property
    def workers(self) -> tuple[str, ...]:
        """Their names, in the order of the rule."""
        return tuple(worker.model for worker in self._workers)

    async def run(
        self, texts: Sequence[bytes], calls: BatchTrace, everybody: Marks | None = None
    ) -> AsyncIterator[Count]:
        """Counts that together cover every text once; decided ones come before the third vote.

        `everybody` marks the texts [N] about which every worker is asked, whatever the first say;
        who is asked for that alone has no say, or these tickets would be labelled unlike the rest.
        """
        asked = len(self._workers) if self._rule.asks_all else 2
        left = self._workers[asked:]
        seats = await self._ask(self._workers[:asked], TextTensor(texts), calls)
        decision = self._rule.decide([seat.opinion for seat in seats], len(left))
        count = self._count(np.arange(len(texts)), seats, decision)
        drawn = np.zeros_like(decision.open) if everybody is None else everybody
        silent = (*left, *self._others)
        if not silent or not (drawn | decision.open).any():
            yield count
            return
        if (settled := ~decision.open & ~drawn).any():
            yield count[np.flatnonzero(settled)]
        if (beside := ~decision.open & drawn).any():
            yield await self._seating.beside(silent, texts, count[np.flatnonzero(beside)], calls)
        for some in (decision.open & ~drawn, decision.open & drawn):
            if some.any():
                yield await self._decided(texts, count[np.flatnonzero(some)], calls, drawn)

    async def _decided(
        self, texts: Sequence[bytes], count: Count, calls: BatchTrace, drawn: Marks
    ) -> Count:
        """Decided by all workers, those left included."""
        some = TextTensor([texts[row] for row in count.rows.tolist()])
        seats = await self._ask(self._workers, some, calls, count.seats)
        made = self._count(count.rows, seats, self._rule.decide([seat.opinion for seat in seats]))
        if not self._others or not drawn[made.rows].any():
            return made
        return await self._seating.beside(self._others, texts, made, calls)

    def _count(self, rows: Rows, seats: Sequence[Seat], decision: Decision) -> Count:
        return Count(
            rows,
            tuple(seats),
            decision,
            self._hopeless(seats),
            self._provenance,
            stale=any(self._is_stale(seat) for seat in seats),
        )

    def _is_stale(self, seat: Seat) -> bool:
        known = seat.worker in self._versions and seat.version is not None
        return known and seat.version != self._versions[seat.worker]

    def _hopeless(self, seats: Iterable[Seat]) -> bool:
        out = {seat.worker for seat in seats if seat.absent is not None}
        return not self._rule.decidable([worker.model not in out for worker in self._workers])

    async def _ask(
        self,
        workers: Sequence[Voter],
        tensor: TextTensor,
        calls: BatchTrace,
        known: Sequence[Seat] = (),
    ) -> list[Seat]:
        """Seats of these workers, those in `known` being taken already.

        Where so many are out that no label can stand, the default is to wait for any of them:
        a batch of abstentions would drown the judge.
        """
        seats = {seat.worker: seat for seat in known}
        while True:
            missing = [worker for worker in workers if worker.model not in seats]
            asked = (self._seating.seat(worker, tensor, calls) for worker in missing)
            seats |= {seat.worker: seat for seat in await asyncio.gather(*asked)}
            if self._on_outage != "wait" or not self._hopeless(seats.values()):
                return [seats[worker.model] for worker in workers]
            seats = {name: seat for name, seat in seats.items() if seat.absent is None}
            await asyncio.sleep(OUTAGE_PAUSE)
