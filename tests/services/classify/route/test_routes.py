"""Tickets on the ways of their segments, with real workers on a real Triton."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamer.backends.gate import Gate, Named
from streamer.config.tasks import Task
from streamer.decide.sampling import Sampling
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.votes import VoteRule
from streamer.errors import ConfigError
from streamer.learn.replay.known_versions import KnownVersions
from streamer.learn.replay.replay import replay
from streamer.observe.tracing import Tracing
from streamer.records.label import Rule, Segmented
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, log_from_json
from streamer.records.routing import RouteRecord, Routing, TaskRoutes
from streamer.services.classify.observing import Observing
from streamer.services.classify.route.building import RouteBuilder
from streamer.services.classify.route.routes import Routes
from streamer.services.classify.route.segment_router import SegmentRouter
from streamer.workers.worker import Worker
from tests.conftest import ECHO_LABELS, ECHO_MODELS
from tests.routed import word_gate
from tests.services.making import MakeHandler, Run, votes
from tests.services.records import Rec, ticket

ALONE = RouteRecord(("echo_c",), Rule("majority", 1, 1), {})
JUDGE = RouteRecord((), Rule("judge", 0, 0), {})
NUMBERS = (4, 7)


class BrokenGate(Gate):
    def names(self, texts: Sequence[str]) -> Named:
        raise RuntimeError(f"can't read {texts}")


def routing(
    ways: dict[str, RouteRecord] | None = None, found: Gate | None = None, single: bool = False
) -> Callable[[Sequence[Worker], Observing], Routes]:
    def made(workers: Sequence[Worker], observing: Observing) -> Routes:
        task = Task(labels=ECHO_LABELS, workers=tuple({"model": name} for name in ECHO_MODELS))
        own = {"4": ALONE, "7": JUDGE} if ways is None else ways
        routes = TaskRoutes(LabelSet(ECHO_LABELS).version, {}, 0.1, own)
        router = SegmentRouter(None if single else found or word_gate(), NUMBERS, "v")
        return RouteBuilder(task, workers, observing.counted).routed(routes, NUMBERS, router)

    return made


def said(pattern: Sequence[int], word: str) -> Rec:
    return ticket(f"{word} {votes(*pattern)}")


def logs(run: Run) -> list[BallotLog]:
    found = [log_from_json(item.value or b"") for item in run.to("log")]
    return [log for log in found if isinstance(log, BallotLog)]


def timeless(run: Run) -> dict[str, object]:
    labels = {one.decision_id: replace(one, decided_at="", segment=None) for one in run.labels}
    asked = {
        f"{one.purpose} {one.decision_id}": replace(one, traceparent="", segment=None)
        for one in run.requests
    }
    noted = {f"log {one.decision_id}": replace(one, at="", segment=None) for one in logs(run)}
    return {**labels, **asked, **noted}


def counted(run: Run, line: str) -> float:
    rows = [row for row in run.metrics.render().decode().splitlines() if row.startswith(line)]
    return sum(float(row.split()[-1]) for row in rows)


async def test_every_segment_is_served_by_its_own_way(make: MakeHandler) -> None:
    first, second, other = said((0, 1, 2), "alpha"), said((1, 1, 1), "beta"), said((3, 3), "hello")
    run = await make(routing=routing()).of(first, second, other)
    labels = {label.ticket_id: label for label in run.labels}
    alone = labels[f"t{first.offset}"]
    assert (alone.label, [vote.worker for vote in alone.votes]) == (ECHO_LABELS[2], ["echo_c"])
    assert alone.segment == Segmented(4, "v")
    assert alone.rule == ALONE.rule
    general = labels[f"t{other.offset}"]
    assert (general.label, general.rule.of) == (ECHO_LABELS[3], 3)
    assert general.segment == Segmented(None, "v")
    (asked,) = run.requests
    assert asked.ticket.id == f"t{second.offset}"
    assert (asked.ballot.votes, asked.candidate, asked.segment) == ((), None, Segmented(7, "v"))
    assert (run.asked("echo_a"), run.asked("echo_b"), run.asked("echo_c")) == (1, 1, 1)
    assert counted(run, 'streamer_segments_total{segment="4",task="intent"}') == 1
    assert counted(run, 'streamer_segments_total{segment="general",task="intent"}') == 1
    assert counted(run, 'streamer_routed_total{task="intent",version="v"}') == 3
    assert counted(run, 'streamer_deferred_total{reason="judge_first"') == 1


async def test_the_uniform_stratum_hears_everybody_and_is_labelled_like_the_rest(
    make: MakeHandler,
) -> None:
    patterns = list(itertools.product(range(3), repeat=3))
    records = [said(p, word) for p in patterns for word in ("alpha", "beta", "hello")]
    plain = await make(routing=routing()).of(*records)
    drawn = await make(routing=routing(), sampling=Sampling("salt", audit=1.0)).of(*records)
    assert {label.ticket_id: label.label for label in plain.labels} == {
        label.ticket_id: label.label for label in drawn.labels
    }
    found = logs(drawn)
    assert len(found) == len(records)
    assert all({v.worker for v in log.ballot.votes} == set(ECHO_MODELS) for log in found)
    assert {log.segment.number: log.served for log in found if log.segment}[7] == 0
    assert {log.served for log in found if log.segment == Segmented(4, "v")} == {1}
    assert {log.deferred for log in found if log.segment == Segmented(7, "v")} == {"judge_first"}


async def test_tickets_that_are_unsure_or_far_or_not_routed_are_served_as_without_segments(
    make: MakeHandler,
) -> None:
    patterns = itertools.product((0, 1, 2), repeat=3)
    records = [*(ticket(votes(*pattern)) for pattern in patterns), ticket("#nan")]
    how = {"sampling": Sampling("salt", audit=0.5, log=1.0), "needs_ensemble": True}
    plain = await make(**how).of(*records)
    unsure = await make(routing=routing(found=word_gate(at_least=1.01)), **how).of(*records)
    broken = BrokenGate(word_gate().model, 0.5, 0.0)
    failing = await make(routing=routing(found=broken), **how).of(*records)
    nowhere = await make(routing=routing(ways={}), **how).of(*records)
    single = await make(routing=routing(single=True), **how).of(*records)
    for run in (unsure, failing, nowhere, single):
        assert timeless(run) == timeless(plain)
        assert all(label.segment == Segmented(None, "v") for label in run.labels)
    assert all(label.segment is None for label in plain.labels)
    assert counted(failing, 'streamer_unrouted_total{reason="failed"') == len(records)
    assert counted(unsure, "streamer_unrouted_total") == len(records)
    assert not counted(plain, "streamer_segments_total")


async def test_a_far_ticket_takes_the_general_way_and_is_counted(make: MakeHandler) -> None:
    record = ticket("alpha " + "unheard of things " * 9 + votes(1, 1))
    run = await make(routing=routing()).of(record)
    assert [label.segment for label in run.labels] == [Segmented(None, "v")]
    assert counted(run, 'streamer_unrouted_total{reason="far"') == 1


async def test_ways_that_share_a_worker_call_it_once(make: MakeHandler) -> None:
    pair = RouteRecord(("echo_a", "echo_c"), Rule("majority", 2, 2), {})
    ways = {"4": ALONE, "7": pair}
    run = await make(routing=routing(ways), rule=VoteRule("unanimity", 3)).of(
        said((0, 0, 0), "alpha"), said((1, 1, 1), "beta"), said((2, 2, 2), "hello")
    )
    assert {label.segment.number: label.label for label in run.labels if label.segment} == {
        4: ECHO_LABELS[0], 7: ECHO_LABELS[1], None: ECHO_LABELS[2]
    }  # fmt: skip


async def test_temperatures_of_a_way_are_those_of_its_labels(make: MakeHandler) -> None:
    warm = replace(ALONE, temperatures={"echo_c": 3.0})
    record = said((0, 0, 0), "alpha")
    plain = await make(routing=routing()).of(record)
    softer = await make(routing=routing({"4": warm})).of(record)
    (one,), (other,) = plain.labels, softer.labels
    assert one.votes[0].probability is not None
    assert other.votes[0].probability is not None
    assert other.votes[0].probability < one.votes[0].probability - 0.1


@pytest.mark.parametrize("mode", ["sequential", "optimistic"])
async def test_in_every_mode_each_ticket_gets_one_outcome(make: MakeHandler, mode: str) -> None:
    patterns = itertools.product(range(2), repeat=3)
    records = [said(p, word) for p in patterns for word in ("alpha", "beta", "hello")]
    run = await make(routing=routing(), policy=ServingPolicy(mode), verify=0.0).of(*records)
    done = [label.ticket_id for label in run.labels] + [one.ticket.id for one in run.requests]
    assert sorted(done) == sorted(f"t{record.offset}" for record in records)


async def test_a_sampled_ticket_shows_its_way(make: MakeHandler) -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing("test", 1.0, exporter=exporter)
    await make(routing=routing(), tracing=tracing).of(said((0, 0, 1), "alpha"))
    tracing.shutdown()
    (span,) = [one for one in exporter.get_finished_spans() if one.name == "route intent"]
    known = dict(span.attributes or {})
    assert known["streamer.segment"] == "4"
    assert known["streamer.routing"] == "v"
    assert known["streamer.workers"] == ("echo_c",)
    assert 0.6 < float(str(known["streamer.segment.sureness"])) <= 1


async def test_a_routed_log_is_decided_alike_once_more(make: MakeHandler) -> None:
    ways = {"4": replace(ALONE, temperatures={"echo_c": 3.0}), "7": JUDGE}
    patterns = [*itertools.product(range(3), repeat=3), (-1, -1, -1)]
    records = [said(p, word) for p in patterns for word in ("alpha", "beta", "hello")]
    everything = Sampling("salt", audit=0.5, log=1.0)
    found = logs(await make(routing=routing(ways), sampling=everything).of(*records))
    assert len(found) == len(records)
    labels = {"intent": LabelSet(ECHO_LABELS)}
    files = Routing("s", NUMBERS, None, {"intent": TaskRoutes("", {}, 0.1, ways)})
    assert not replay(found, labels, KnownVersions({}, {"v": files})).differences
    other = replace(files, tasks={"intent": TaskRoutes("", {}, 0.1, {**ways, "4": ALONE})})
    assert replay(found, labels, KnownVersions({}, {"v": other})).differences
    with pytest.raises(ConfigError, match="--segments"):
        replay(found, labels, KnownVersions({}))
