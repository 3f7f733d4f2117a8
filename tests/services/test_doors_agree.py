"""Whatever the first door lets in, the second can write, whichever way it goes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.decide.sampling import Sampling
from streamer.decide.vote_result import Provenance
from streamer.decide.votes import VoteRule
from streamer.observe.metrics import Metrics
from streamer.observe.tracing import Tracing
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Label
from streamer.records.labelset import LabelSet
from streamer.records.log import log_from_json
from streamer.records.review import Review
from streamer.services.classify.classify_handler import ClassifyHandler
from streamer.services.classify.observing import Observing
from streamer.services.classify.task import ClassifyTask, Condition
from streamer.services.classify.vote.calibrated_rule import CalibratedRule
from streamer.services.classify.vote.voting import Voting
from streamer.services.intake.ticket_reader import TicketReader
from streamer.stream.dead_letters import DeadLetters
from streamer.stream.handler import Barrier, Emission, Settled
from streamer.workers.wire import TextTensor
from streamer.workers.worker import WorkerAnswer
from tests.services.making import OUTPUTS
from tests.services.records import Rec

LABELS = LabelSet(("billing", "shipping", "account"))
READERS: dict[str, Callable[[bytes], Any]] = {
    "labels": Label.from_json,
    "judge": JudgeRequest.from_json,
    "audit": JudgeRequest.from_json,
    "review": Review.from_json,
    "log": log_from_json,
}


class _Text(str):
    __slots__ = ()


class ScriptedWorker:
    """Agrees with the others on every other ticket."""

    def __init__(self, number: int) -> None:
        self.model = f"w{number}"
        self._number = number

    async def answer(self, tensor: TextTensor, traceparent: str | None = None) -> WorkerAnswer:
        probs = np.full((len(tensor), 3), 0.05, np.float32)
        for row, text in enumerate(tensor.texts):
            probs[row, self._number if len(text) % 2 else 0] = 0.9
        return WorkerAnswer("1", probs)


def handler(decoder: Callable[..., Any] | None) -> ClassifyHandler:
    """Every ticket is logged, audited, shown to a person, and labelled or judged; some follow."""
    tracing = Tracing("test", 0.0)
    workers, rule = [ScriptedWorker(number) for number in range(3)], VoteRule("majority", 3)
    terms = [CalibratedRule(rule, Provenance(rule.described([one.model for one in workers])))]
    conditions = {
        "intent": None,
        "next": Condition(("billing", "shipping"), task="intent"),
        "field": Condition(("a",), field="/x/0"),
    }
    tasks = [
        ClassifyTask(name, LABELS, Voting(workers, terms, "wait"), condition)
        for name, condition in conditions.items()
    ]
    return ClassifyHandler(
        source="support",
        ticket_reader=TicketReader(subject="/x", created_at="/at", decoder=decoder),
        tasks=tasks,
        outputs=OUTPUTS,
        dead_letters=DeadLetters("dead", 2**20),
        tracing=tracing,
        observing=Observing(Metrics(), tracing),
        sampling=Sampling("salt", 1.0, 1.0, 1.0),
        dead_at_most=1,
    )


async def handled(
    records: Sequence[Rec], decoder: Callable[..., Any] | None = None
) -> list[Emission]:
    found: list[Emission] = []
    async for group in handler(decoder).handle(records):
        if not isinstance(group, Barrier):
            found += [item for item in group if not isinstance(item, Settled)]
    return found


def check(records: Sequence[Rec], found: Sequence[Emission]) -> None:
    letters = [item for item in found if item.topic == "dead"]
    assert {item.record.offset for item in found} == {record.offset for record in records}
    assert len({letter.record.offset for letter in letters}) == len(letters)
    assert not {letter.record.offset for letter in letters} & {
        item.record.offset for item in found if item.topic != "dead"
    }
    for letter in letters:
        assert (letter.key, letter.value) == (letter.record.key, letter.record.value)
        assert dict(letter.headers)["dead.reason"] != b"unwritable"
    for item in found:
        assert all(isinstance(name, str) for name, _ in item.headers)
        if item.topic != "dead" and item.value is not None:
            assert READERS[item.topic](item.value)


def nested(levels: int, part: Any, pick: Sequence[int]) -> Any:
    for level in range(levels):
        part = [part] if pick[level % len(pick)] else {"a": part}
    return part


def nested_json(levels: int, part: Any, pick: Sequence[int]) -> bytes:
    opening = [b"[" if pick[level % len(pick)] else b'{"a":' for level in range(levels)]
    closing = [b"]" if pick[level % len(pick)] else b"}" for level in reversed(range(levels))]
    return b"".join([*opening, orjson.dumps(part), *closing])


texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(0, 400).map(lambda count: "[{" * count),
    st.sampled_from(["", " ", "\u200b", "\0", "e\u0301", "\U0001f600", "a" * 600]),
)
held = st.one_of(texts, st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats())
# Around the limit, and around what orjson writes.
depths = st.sampled_from([0, 1, 3, *range(236, 257), 1020, 1100])
picks = st.lists(st.integers(0, 1), min_size=1, max_size=3)
times = st.one_of(st.integers(-1, 2**63 - 1), st.just(1_700_000_000_000))
header_names = st.one_of(st.sampled_from(["traceparent", "tracestate", "dead.reason"]), texts)
contexts = st.sampled_from([b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"\xff"])
headers = st.lists(st.tuples(header_names, st.one_of(contexts, st.binary(max_size=9))), max_size=3)
keys = st.one_of(st.none(), st.binary(max_size=9), texts.map(str.encode))
sound_ids, sound_texts = st.just("t-1"), st.sampled_from(["a", "ab", "a" + "[" * 5000])


@st.composite
def json_values(draw: st.DrawFn) -> bytes | None:
    if draw(st.integers(0, 9)) == 9:
        return draw(st.one_of(st.none(), st.binary(max_size=20)))
    sound = draw(st.integers(0, 3))
    fields = {
        "id": draw(sound_ids if sound else held),
        "text": draw(sound_texts if sound else held),
        "at": draw(held),
    }
    written = orjson.dumps(fields)[:-1]
    return b'%b,"x":%b}' % (written, draw(st.builds(nested_json, depths, held, picks)))


odd = st.one_of(
    held,
    st.binary(max_size=5),
    st.integers(-(2**70), 2**70),
    st.text(st.characters(), max_size=5),
    texts.map(_Text),
    st.sampled_from([Decimal("1.5"), UUID(int=5), {1, 2}, 1j, object(), datetime.now(UTC)]),
    st.sampled_from([(1, "a"), MappingProxyType({"a": 1}), {1: 2}, {float("nan"): 1}]),
)
decoded = st.fixed_dictionaries(
    {"id": st.one_of(sound_ids, odd), "text": st.one_of(sound_texts, texts)},
    optional={
        "x": st.one_of(texts, st.lists(odd), st.builds(nested, depths, odd, picks)),
        "at": odd,
    },
)


def records(values: Sequence[bytes | None], draw: st.DrawFn) -> list[Rec]:
    return [
        Rec(value, draw(keys), offset, timestamp=draw(times), headers=draw(headers))
        for offset, value in enumerate(values)
    ]


# Of a failure Hypothesis prints the seed and the smallest records that still fail.
@settings(max_examples=100, print_blob=True)
@given(st.data())
def test_whatever_is_json(data: st.DataObject) -> None:
    batch = records(data.draw(st.lists(json_values(), min_size=4, max_size=12)), data.draw)
    check(batch, asyncio.run(handled(batch)))


@settings(max_examples=100, print_blob=True)
@given(st.data())
def test_whatever_a_decoder_makes(data: st.DataObject) -> None:
    made = data.draw(st.lists(st.one_of(decoded, decoded, odd), min_size=4, max_size=12))
    batch = records([b"%d" % place for place in range(len(made))], data.draw)
    found = asyncio.run(handled(batch, lambda key, value, headers: made[int(value)]))
    check(batch, found)


def test_all_ways_are_taken() -> None:
    batch = [
        Rec(b'{"id":"%d","text":"%b"}' % (length, b"a" * length), offset=length)
        for length in (1, 2)
    ]
    found = asyncio.run(handled(batch))
    assert {item.topic for item in found} == {"labels", "judge", "audit", "review", "log"}
    assert any(
        JudgeRequest.from_json(one.value or b"").followers for one in found if one.topic == "judge"
    )
