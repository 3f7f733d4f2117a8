"""Whatever contexts come in, each record that goes out has one, and it is a valid one."""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamer.decide.sampling import Sampling, drawn
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.services.classify.answers.answers_handler import AnswersHandler
from streamer.services.classify.observing import Observing
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Emission, Settled
from tests.services.classify.answers.test_answers_handler import MOODS, answer
from tests.services.judging import Run, decided, record, request
from tests.services.making import MakeHandler, votes
from tests.services.records import Rec, broken, ticket

CONTEXT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]")
GOOD = (
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    b"01-2af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
)
BAD = (
    b"",
    b"hello",
    b"\xff\xfe",
    b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
    b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
)


def headers(some: random.Random) -> list[tuple[str, bytes]]:
    """Up to five headers in any order: contexts, broken ones, those of others."""
    kinds: list[Callable[[], tuple[str, bytes]]] = [
        lambda: ("traceparent", some.choice(GOOD)),
        lambda: ("traceparent", some.choice(BAD)),
        lambda: ("tracestate", some.choice([b"a=1", b"", b"\xff"])),
        lambda: ("x-tenant", b"blue"),
    ]
    return [some.choice(kinds)() for _ in range(some.randrange(6))]


def check(emissions: Iterable[Emission | Settled], least: dict[str, int]) -> None:
    """Each has one valid context, and there are so many or more of each topic."""
    seen: dict[str, int] = {}
    for emission in emissions:
        if isinstance(emission, Settled):
            continue
        names = [name for name, _ in emission.headers]
        assert names.count("traceparent") == 1, (emission.topic, emission.headers)
        assert names.count("tracestate") <= 1
        (context,) = [value for name, value in emission.headers if name == "traceparent"]
        assert CONTEXT.fullmatch(context), context
        came = [value[3:35] for value in _valid(emission.record)]
        assert not came or context[3:35] == came[-1]
        seen[emission.topic] = seen.get(emission.topic, 0) + 1
    assert all(seen.get(topic, 0) >= count for topic, count in least.items()), seen


def _valid(source: object) -> list[bytes]:
    found: Iterable[tuple[str, bytes]] = getattr(source, "headers", ())
    return [value for name, value in found if name == "traceparent" and value in GOOD]


@pytest.fixture(params=[0.0, 0.5, 1.0])
def tracing(request: pytest.FixtureRequest) -> Iterator[Tracing]:
    made = Tracing("test", request.param, exporter=InMemorySpanExporter())
    yield made
    made.shutdown()


@pytest.mark.parametrize("seed", range(3))
async def test_classify(make: MakeHandler, tracing: Tracing, seed: int) -> None:
    print("seed", seed)
    some = random.Random(seed)
    handler = make(tracing=tracing, sampling=Sampling("salt", 0.5, 0.5, 0.5))
    batch: list[Rec] = []
    for _ in range(60):
        kinds = [
            ticket(votes(1, 1, 1)),
            ticket(votes(0, 1, 2)),
            broken(b"{", b"key"),
            broken(None, b"gone"),
            broken(b"x" * 2**20, b"huge"),
        ]
        batch.append(replace(some.choice(kinds), headers=headers(some)))
    run = await handler.of(*batch)
    check(run.items, {"labels": 12, "judge": 3, "dead": 6, "audit": 1, "review": 3, "log": 3})
    assert [e for e in run.to("labels") if e.value is None]


@pytest.mark.parametrize("seed", range(3))
async def test_judge(tracing: Tracing, seed: int) -> None:
    print("seed", seed)
    some = random.Random(seed)
    run = Run(tasks=decided(review_below=0.95), tracing=tracing, log_share=1.0)
    run.judge.vectors = {"sure": (0.98, 0.01, 0.01)}
    batch = []
    for number in range(60):
        made = some.choice(
            [
                record(request("sure", number=number), number),
                record(request("bad", number=number, purpose="audit"), number),
                record(request("bad", number=number, label_set="other"), number),
                record(request("ugly", number=number, purpose="verify", candidate="bad"), number),
                record(b"{", number),
            ]
        )
        batch.append(replace(made, headers=headers(some)))
    # The second round is answered from memory, where that remembers it.
    for _ in range(2):
        await run.of(*batch)
        check(run.emissions, {"labels": 12, "review": 3, "dead": 12, "log": 20})
    assert run.metric("streamer_republished_total", "mood") > 0
    given_up = run.handler.give_up(batch)
    check(given_up, {"log": 30, "dead": 3})


@pytest.mark.parametrize("seed", range(3))
async def test_answers(tracing: Tracing, seed: int) -> None:
    print("seed", seed)
    some = random.Random(seed)
    handler = AnswersHandler(
        source="support",
        label_sets={"mood": MOODS},
        gold=partial(drawn, salt="salt", purpose="gold", share=0.5),
        labels_topic="labels",
        log_topic="log",
        dead_letters=DeadLetters("dead", 2**20),
        tracing=tracing,
        observing=Observing(Metrics(), tracing),
    )
    batch = [
        Rec(
            some.choice([answer().to_json(), b"{"]), b"k", n, topic="answers", headers=headers(some)
        )
        for n in range(60)
    ]
    items = [item async for group in handler.handle(batch) for item in group]
    check(items, {"labels": 10, "log": 10, "dead": 10})
