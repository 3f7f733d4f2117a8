"""What can't be written costs its own record alone, whichever way it goes."""

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streamer.decide.sampling import Sampling
from streamer.errors import BrokerError, ModelError
from streamer.records.ticket import Ticket
from streamer.services.classify.publish.label_form import LabelForm
from streamer.services.classify.task import Condition
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.judging import Run as Judging
from tests.services.judging import record, request
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, ticket

DEFERRED, AGREED = votes(0, 1, 2), votes(2, 2)
SECRET = "my card is 4111"
FOLLOWED = {"intent": None, "next": Condition(("billing",), task="intent")}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "decide": (DEFERRED, {}),
    "audit": (AGREED, {"sampling": Sampling("salt", audit=1.0)}),
    "review": (AGREED, {"sampling": Sampling("salt", gold=1.0)}),
    "follower": (DEFERRED, {"tasks": FOLLOWED}),
}


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Rec:
    """A ticket that passes a first door that has gone blind, and can't be written."""
    read = TicketReader.read
    marked = ticket(DEFERRED)

    def blind(self: TicketReader, record: Rec) -> tuple[Ticket, float]:
        made, ms = read(self, record)
        if record.offset == marked.offset:
            made.fields = {"x": {SECRET}}
        return made, ms

    monkeypatch.setattr(TicketReader, "read", blind)
    return marked


@pytest.mark.parametrize("way", WAYS)
async def test_one_that_cant_be_written_dies_once_and_its_neighbours_dont_notice(
    make: MakeHandler, odd: Rec, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    text, how = WAYS[way]
    others = [ticket(text) for _ in range(10)]
    marked = Rec(ticket(text).value, b"k", odd.offset)
    batch = [*others[:7], marked, *others[7:]]
    run = await make(**how).of(*batch)
    (letter,) = run.dead
    assert (letter.key, letter.value) == (b"k", marked.value)
    assert dict(letter.headers)["dead.reason"] == b"unwritable"
    assert {item.record.offset for item in run.items if item is not letter} >= {
        one.offset for one in others
    }
    without = await make(**how).of(*others)
    assert len(run.items) - len(without.items) in (1, 2)
    assert SECRET not in caplog.text + repr(letter.headers)


@pytest.mark.parametrize("marks", [AGREED, DEFERRED], ids=["label", "follower"])
async def test_of_a_batch_of_labels_only_the_odd_one_dies(
    make: MakeHandler, monkeypatch: pytest.MonkeyPatch, marks: str
) -> None:
    odd, write = ticket(marks), LabelForm.write

    def fails(self: LabelForm, arrivals: Any, *args: Any) -> list[bytes]:
        if any(arrival.record.offset == odd.offset for arrival in arrivals):
            raise LookupError(SECRET)
        return write(self, arrivals, *args)

    monkeypatch.setattr(LabelForm, "write", fails)
    others = [ticket(marks) for _ in range(9)]
    run = await make({**FOLLOWED, "other": None}).of(*others[:4], odd, *others[4:])
    assert [letter.value for letter in run.dead] == [odd.value]
    assert {item.record.offset for item in run.items} == {one.offset for one in (odd, *others)}
    assert [item for item in run.items if item.record is odd][-1:] == run.dead


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        KafkaConnectionError(),
        OSError(errno.ENOSPC, "no space"),
        BrokerError("gone"),
        ModelError("out"),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_no_records_fault_is_no_dead_letter(
    make: MakeHandler, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fails(*args: Any) -> list[bytes]:
        raise error

    monkeypatch.setattr(LabelForm, "write", fails)
    run = make()
    with pytest.raises(type(error)):
        await run.of(ticket(AGREED), ticket(AGREED))
    assert run.dead == []


def unwritable(self: object) -> bytes:
    raise LookupError(SECRET)


async def test_a_verdict_that_cant_be_written_dies_alone_and_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Judging()
    odd, sound = request("good odd", number=1), request("good sound", number=2)
    outcome: Callable[..., Any] = run.handler._publisher._outcome

    def fails(case: Any, verdicts: Any, place: int) -> Any:
        return (
            unwritable(case)
            if case.request.ticket.id == odd.ticket.id
            else outcome(case, verdicts, place)
        )

    monkeypatch.setattr(run.handler._publisher, "_outcome", fails)
    await run.of(record(odd, 1), record(sound, 2))
    (letter,) = run.to("dead")
    assert dict(letter.headers)["dead.reason"] == b"unwritable"
    assert [label.ticket_id for label in run.labels] == [sound.ticket.id]
    monkeypatch.undo()
    await run.of(record(odd, 3))
    assert [label.ticket_id for label in run.labels] == [odd.ticket.id]
