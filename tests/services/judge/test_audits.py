"""Audits that wait until the judge has room."""

import asyncio
import time

from streamer.services.judge.audits import AuditHandler
from streamer.stream.handler import Emission
from tests.services.judging import Run, record, request


def now() -> int:
    return int(time.time() * 1000)


async def test_audits_wait_for_room() -> None:
    run, room = Run(), asyncio.Event()
    audits = AuditHandler(run.handler, run.handler.give_up, room.is_set, patience=60)
    batch = [record(request("good", number=i, purpose="audit"), i, now()) for i in range(3)]

    async def judged() -> list[object]:
        return [item async for group in audits.handle(batch) for item in group]

    waiting = asyncio.create_task(judged())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    assert not run.judge.scored
    room.set()
    assert len(await waiting) == 3
    assert len(run.judge.scored) == 3


async def test_what_is_too_old_is_given_up_and_logged_whether_there_is_room_or_not() -> None:
    for room in (True, False):
        run = Run()
        audits = AuditHandler(
            run.handler, run.handler.give_up, lambda room=room: room, patience=1.0
        )
        made = [request("good", number=i, purpose="audit", uniform=True) for i in range(2)]
        batch = [
            record(made[0], 0, now() - 5000),
            record(made[1], 1, now() - 5000),
            record(b"no request", 2, now() - 5000),
            record(request("good", "unknown", 3, purpose="audit"), 3, now() - 5000),
        ]
        groups = [group async for group in audits.handle(batch)]
        run.emissions = [x for group in groups for x in group if isinstance(x, Emission)]
        assert [(log.ticket_id, log.missing, log.vector) for log in run.logs] == [
            ("t0", "too_late", None),
            ("t1", "too_late", None),
        ]
        assert all(log.uniform and log.purpose == "audit" for log in run.logs)
        assert len(run.to("dead")) == 2
        assert not run.judge.scored
        assert run.metric("streamer_audits_given_up_total", "mood") == 2
        assert run.metric("streamer_fidelity", "mood", "estimate") == 0


async def test_a_batch_may_be_given_up_while_it_waits() -> None:
    run = Run()
    audits = AuditHandler(run.handler, run.handler.give_up, lambda: False, patience=0.3)
    batch = [record(request("good", number=i, purpose="audit"), i, now()) for i in range(2)]
    found = [item async for group in audits.handle(batch) for item in group]
    assert len(found) == 2
    assert not run.judge.scored
