"""Leaves out what a backfill must not touch, and hands on the rest at its pace."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

from streamer.errors import TicketError, Unavailable
from streamer.services.backfill.pace import Pace
from streamer.services.backfill.survey import Survey
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.handler import Barrier, Emission, Handler, Record, Settled


class BackfillHandler:
    """`handler`, for the tickets that count.

    Deletions are not sent again: a later label would fall to them. What can't be read is a dead
    letter already. `untouched` counts the tickets among `held`: a person's label stands over the
    new one.
    """

    def __init__(
        self,
        handler: Handler,
        survey: Survey,
        ticket_reader: TicketReader,
        pace: Pace,
        held: Collection[str] = frozenset(),
    ) -> None:
        self._held = held
        self.untouched = 0
        self._handler = handler
        self._survey = survey
        self._ticket_reader = ticket_reader
        self._pace = pace

    async def handle(
        self, batch: Sequence[Record]
    ) -> AsyncGenerator[Sequence[Emission | Settled] | Barrier, None]:
        """Yields what is left out, then what `handler` makes of the rest."""
        reasons = [self._reason(record) for record in batch]
        left_out = [Settled(record, why) for record, why in zip(batch, reasons, strict=True) if why]
        if left_out:
            yield left_out
        rest = [record for record, why in zip(batch, reasons, strict=True) if why is None]
        if not rest:
            return
        await self._pace.room(len(rest))
        async with aclosing(self._handler.handle(rest)) as groups:
            async for group in groups:
                yield group

    def _reason(self, record: Record) -> str | None:
        if record.timestamp not in self._survey.times:
            return "of another time"
        if not self._survey.counts(record):
            return "superseded"
        try:
            self.untouched += self._ticket_reader.ticket(record).id in self._held
        except TicketError as error:
            return error.reason
        except Unavailable:
            pass  # the handler waits for the decoder
        return None
