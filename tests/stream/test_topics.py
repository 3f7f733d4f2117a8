from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from streamer.errors import BrokerError
from streamer.stream import topics as module
from streamer.stream.topics import TopicSpec, create_topics, misspelt


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("shop.tikets", "shop.tickets"),
        ("shop.ticket", "shop.tickets"),
        ("shop.tickest", "shop.tickets"),
        ("Shop.Tickets", "shop.tickets"),
        ("shop_tickets", "shop.tickets"),
        ("helpdsek.tickets", "helpdesk.tickets"),
    ],
)
def test_a_slip_of_the_pen_is_noticed(given: str, meant: str) -> None:
    assert misspelt(given, ["orders", f"{meant}.labels", meant]) == meant


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ("tickets-eu", "tickets-us"),
        ("tickets-1", "tickets-2"),
        ("tickets1", "tickets2"),
        ("prod.tickets", "test.tickets"),
        ("shop.tickets", "shop.tickets.labels"),
        ("helpdesk.tickets", "billing.tickets"),
        ("helpdsek.tikets", "helpdesk.tickets"),
    ],
)
def test_names_that_differ_on_purpose_are_left_alone(given: str, other: str) -> None:
    assert misspelt(given, [other]) is None


class Admin:
    """Knows `there`; a topic that it makes is listed at the second look."""

    def __init__(self, *there: str, code: int = 0, why: str | None = None) -> None:
        self.there = list(there)
        self.asked: list[NewTopic] = []
        self.closed = False
        self._answer = (code, why)
        self._hidden = 1

    async def start(self) -> None: ...

    async def close(self) -> None:
        self.closed = True

    async def create_topics(self, topics: list[NewTopic]) -> Any:
        self.asked = topics
        errors = [
            (one.name, 36, "there") if one.name in self.there else (one.name, *self._answer)
            for one in topics
        ]
        self.there += [one.name for one in topics if one.name not in self.there]
        return SimpleNamespace(topic_errors=errors)

    async def list_topics(self) -> list[str]:
        self._hidden -= 1
        return [] if self._hidden == 0 else self.there


def given(monkeypatch: pytest.MonkeyPatch, admin: Admin) -> Admin:
    monkeypatch.setattr(module, "AIOKafkaAdminClient", lambda **_: admin)
    return admin


async def test_missing_topics_are_made_as_they_should_be_and_are_listed_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = given(monkeypatch, Admin("tickets"))
    specs = [TopicSpec("tickets"), TopicSpec("labels", 3, {"cleanup.policy": "compact"})]
    assert await create_topics("kafka:9092", specs, replication=2) == ["labels"]
    assert [(t.num_partitions, t.replication_factor) for t in admin.asked] == [(1, 2), (3, 2)]
    assert admin.asked[1].topic_configs == {"cleanup.policy": "compact"}
    assert admin.closed


@pytest.mark.parametrize(("why", "said"), [("no such key", "no such key"), (None, "InvalidConfig")])
async def test_a_topic_that_kafka_refuses_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, why: str | None, said: str
) -> None:
    admin = given(monkeypatch, Admin(code=40, why=why))
    with pytest.raises(BrokerError, match=rf"can't create topic labels: {said}.*; correct"):
        await create_topics("kafka:9092", [TopicSpec("labels")])
    assert admin.closed
