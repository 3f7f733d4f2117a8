"""What the monitor answers as JSON."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from streamer.errors import BrokerError
from streamer.services.monitor.web import tickets
from streamer.services.monitor.web.rate_limit import RateLimit
from streamer.services.monitor.web.ttl_cache import MOST, TtlCache
from tests.services.monitor.web.material import DRIFTS, Made, label, record
from tests.services.monitor.web.site import Site, nothing


async def test_state_series_and_alarms_are_the_views() -> None:
    made = Made()
    made.tell(minutes=5)
    made.alarm(DRIFTS)
    async with Site(made) as site:
        state = json.loads((await site.get("/api/state"))[1])
        assert set(state["tasks"]) == {"topic", "mood"}
        assert state["tasks"]["topic"]["tickets"] > 0
        assert state["alarms"][0]["kind"] == "coverage_drift"
        series = json.loads((await site.get("/api/series?task=topic&seconds=300"))[1])
        assert len(series["windows"]) == len(series["starts_ms"])
        assert len(json.loads((await site.get("/api/alarms"))[1])) == 1


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/series", 400, "name a task"),
        ("/api/series?task=other", 404, "no such task"),
        ("/api/state?seconds=0", 400, "seconds: a number above 0"),
        ("/api/state?seconds=nan", 400, "seconds: a number above 0"),
        ("/api/tickets/x?seconds=1e9", 400, "seconds: a number above 0"),
        ("/api/other", 404, "not found"),
    ],
)
async def test_what_is_asked_wrongly_is_told_in_one_line_of_json(
    path: str, status: int, said: str
) -> None:
    async with Site(Made()) as site:
        found, body, headers = await site.get(path)
        assert found == status
        assert headers["Content-Type"].startswith("application/json")
        assert said in json.loads(body)["error"]
        assert "\n" not in body


async def test_the_newest_tickets_hold_their_votes() -> None:
    async with Site(Made()) as site:
        site.tail.take([record(label(f"t{number}")) for number in range(300)])
        newest = json.loads((await site.get("/api/tickets"))[1])
        assert len(newest["rows"]) == 200
        assert newest["rows"][0]["ticket_id"] == "t299"
        assert newest["rows"][0]["label"]["votes"][2]["label"] == "refund"


async def test_a_search_takes_the_id_as_it_is_and_how_far_to_look() -> None:
    asked: list[tuple[str, timedelta]] = []

    async def search(ticket_id: str, since: timedelta) -> Mapping[str, Any]:
        asked.append((ticket_id, since))
        return await nothing(ticket_id, since)

    async with Site(Made(), search=search) as site:
        body = (await site.get("/api/tickets/a%2Fb%20%3Cü%3E%00?seconds=60"))[1]
        assert asked == [("a/b <ü>\0", timedelta(seconds=60))]
        assert json.loads(body)["found"] is False


async def test_a_search_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(ticket_id: str, since: timedelta) -> Mapping[str, Any]:
        raise {"kafka": BrokerError("Kafka is out: start it"), "defect": ValueError("x")}[ticket_id]

    async def hangs(ticket_id: str, since: timedelta) -> Mapping[str, Any]:
        await asyncio.sleep(3600)
        return {}

    async with Site(Made(), search=fails) as site:
        assert (await site.get("/api/tickets/kafka"))[:2] == (
            502,
            '{"error":"Kafka is out: start it"}',
        )
        status, body, _ = await site.get("/api/tickets/defect")
        assert (status, "its log says why" in body) == (500, True)
    monkeypatch.setattr(tickets, "WITHIN_S", 0.05)
    async with Site(Made(), search=hangs) as site:
        assert (await site.get("/api/tickets/x"))[0] == 504


async def test_searches_are_limited_and_told_when_to_come_again() -> None:
    gate = asyncio.Event()

    async def search(ticket_id: str, since: timedelta) -> Mapping[str, Any]:
        await gate.wait()
        return await nothing(ticket_id, since)

    async with Site(Made(), search=search) as site:
        asked = [asyncio.create_task(site.get("/api/tickets/x")) for _ in range(3)]
        done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        status, body, headers = done.pop().result()
        assert (status, headers["Retry-After"]) == (429, "1")
        assert json.loads(body)["error"] == "too many searches: try again in 1 s"
        gate.set()
        assert [(await one)[0] for one in waiting] == [200, 200]


def test_turns_fill_again_with_time() -> None:
    now = 0.0
    turns = RateLimit(at_once=2, per_minute=3, clock=lambda: now)
    assert turns.take() is None
    assert turns.take() is None
    assert turns.take() == 1.0
    turns.give_back()
    assert turns.take() is None
    turns.give_back()
    assert turns.take() == 20.0
    now = 20.0
    assert turns.take() is None


def test_an_answer_is_held_for_as_long_as_it_is_good() -> None:
    now = 0.0
    held = TtlCache(clock=lambda: now)
    made: list[str] = []

    def ask(key: str) -> bytes:
        def make() -> bytes:
            made.append(key)
            return key.encode()

        return held.get(key, 5.0, make)

    assert [ask("a"), ask("a"), ask("b")] == [b"a", b"a", b"b"]
    assert made == ["a", "b"]
    now = 5.0
    ask("a")
    assert made == ["a", "b", "a"]
    for number in range(MOST):
        ask(str(number))
    ask("a")
    assert made.count("a") == 3


async def test_status_is_answered_and_readiness_said() -> None:
    async with Site(Made()) as site:
        assert (await site.get("/healthz"))[:2] == (200, "ok\n")
        assert "streamer_alarm" in (await site.get("/metrics"))[1]
        site.ready = "waiting for the tables"
        assert (await site.get("/readyz"))[:2] == (503, "waiting for the tables\n")


async def test_static_files_are_served_alone_and_confirmed_by_their_tag() -> None:
    async with Site(Made()) as site:
        status, body, headers = await site.get("/static/main.js")
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
        assert (await site.get("/static/main.js", {"If-None-Match": headers["ETag"]}))[0] == 304
        for path in ("/static/../guard.py", "/static/%2e%2e/guard.py", "/static/", "/static/x.js"):
            assert (await site.get(path))[0] == 404
        assert "innerHTML" not in body
