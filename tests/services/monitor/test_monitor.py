"""A real monitor on a real Kafka: its sums are those of a plain recount, whatever is done to it."""

import random
import time

import pytest

from tests.dev.sockets import listeners
from tests.monitoring.planted import recount, shaken, storm
from tests.services.monitor.running import Make, Monitor, now_ms, plain
from tests.waiting import eventually

ADDED = 'streamer_summaries_total{outcome="added"}'


def killed_midway(monitor: Monitor, count: int, kills: int, seed: int) -> float:
    """Tell it summaries, kill it while it takes them in, and compare its sums with a recount.

    Returns how many seconds it took to serve again, at most.
    """
    told = list(storm(count, now_ms(), every_ms=600, seed=seed))
    some = random.Random(seed)
    part = -(-count // (kills + 1))
    returned = [monitor.start()]
    for first in range(0, count, part):
        # Some come again, as after a producer's retry or a process that was read twice.
        again = some.sample(told[:first], min(first, 50))
        before = monitor.metric(ADDED)
        monitor.tell([*again, *told[first : first + part]])
        if first + part < count:
            assert eventually(lambda before=before: monitor.metric(ADDED) > before)
            monitor.kill()
            returned.append(monitor.start())
    began = time.monotonic()
    expected = plain(recount(told))
    assert eventually(lambda: monitor.totals() == expected), expected - monitor.totals()
    print("seconds to catch up", round(time.monotonic() - began, 1))
    monitor.kill()
    returned.append(monitor.start())
    # All but what Kafka had not yet when it was killed; that comes again.
    assert monitor.totals().total() > expected.total() / 2, "not ready without its tables"
    assert eventually(lambda: monitor.totals() == expected), expected - monitor.totals()
    print("seconds to serve again", [round(s, 1) for s in returned])
    print(
        "taken again after the last kill",
        monitor.metric('streamer_summaries_total{outcome="repeated"}'),
    )
    assert all(process["lost"] == 0 for process in monitor.ask("/api/state")["processes"])
    return max(returned)


def test_sums_survive_a_kill(make: Make) -> None:
    killed_midway(make(), 6_000, kills=1, seed=1)


@pytest.mark.slow
def test_sums_of_fifty_thousand_survive_three_kills(make: Make) -> None:
    assert killed_midway(make(), 50_000, kills=3, seed=2) < 15


def test_it_leaves_out_what_is_no_summary_and_listens_on_loopback_alone(make: Make) -> None:
    monitor = make()
    told = list(storm(60, now_ms()))
    broken = [b"", b"{}", b"[]", b"null", b"\xff", b'{"latency": []}']
    monitor.tell([*broken[:3], *shaken(told, random.Random(3)), *broken[3:]])
    monitor.start()
    assert eventually(lambda: monitor.totals() == plain(recount(told)))
    # The last records are broken ones, and a batch is counted once Kafka has what the tables hold.
    unreadable = 'streamer_summaries_total{outcome="unreadable"}'
    assert eventually(lambda: monitor.metric(unreadable) == len(broken))
    assert monitor.metric('streamer_summaries_total{outcome="repeated"}') == 20
    service = monitor.service
    assert service.child.pid is not None
    assert listeners(service.child.pid) == {("127.0.0.1", int(service.url.rpartition(":")[2]))}
    service.child.stop(30)
    assert service.child.returncode == 0, service.log
