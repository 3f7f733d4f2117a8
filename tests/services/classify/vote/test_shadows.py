"""Versions on trial: logged for those drawn, counted nowhere, and never waited for."""

import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest

from streamer.decide.sampling import Sampling, drawn
from streamer.decide.serving_policy import ServingPolicy
from streamer.decide.votes import Kind, VoteRule
from streamer.records.log import BallotLog, Mode, log_from_json
from streamer.services.classify.vote.shadows import Shadow, Trial
from streamer.workers.wire import TextTensor
from tests.conftest import ECHO_LABELS
from tests.services.making import MakeHandler, Run, votes
from tests.services.records import ticket

ALL = Trial("echo_a", "1", 1.0, 5.0)
MISSING = Trial("echo_a", "7", 1.0, 5.0)
LATE = Trial("echo_a", "1", 1.0, 1e-9)


def logs(run: Run) -> list[BallotLog]:
    found = [log_from_json(item.value or b"") for item in run.to("log")]
    return [log for log in found if isinstance(log, BallotLog)]


def timeless(run: Run) -> dict[str, object]:
    return {
        **{label.decision_id: replace(label, decided_at="") for label in run.labels},
        **{
            f"{one.purpose} {one.decision_id}": replace(one, traceparent="") for one in run.requests
        },
    }


@pytest.mark.parametrize("kind", ["majority", "unanimity"])
@pytest.mark.parametrize("mode", ["sequential", "optimistic"])
@pytest.mark.parametrize(
    "trials",
    [[ALL], [replace(ALL, share=0.5)], [MISSING], [LATE], [ALL, MISSING, replace(LATE, share=0.3)]],
    ids=["all", "half", "missing", "late", "several"],
)
@pytest.mark.parametrize("audit", [0.0, 0.5])
async def test_labels_and_requests_are_those_without(
    make: MakeHandler, kind: Kind, mode: Mode, trials: list[Trial], audit: float
) -> None:
    patterns = itertools.product((0, 1, 2), repeat=3)
    records = [*(ticket(votes(*pattern)) for pattern in patterns), ticket("#nan")]
    how = {"rule": VoteRule(kind, 3), "policy": ServingPolicy(mode), "verify": 1.0}
    how["sampling"] = Sampling("salt", audit=audit)
    plain = await make(needs_ensemble=True, **how).of(*records)
    tried = await make(needs_ensemble=True, trials=trials, **how).of(*records)
    assert timeless(tried) == timeless(plain)
    assert len(tried.labels) == len(plain.labels)


async def test_those_drawn_are_logged_with_what_decided_and_all_else_is_not(
    make: MakeHandler,
) -> None:
    records = [ticket(votes(1, 1, 2)) for _ in range(200)]
    run = await make(trials=[replace(ALL, share=0.3)]).of(*records)
    ids = [(record.key or b"").decode() for record in records]
    wanted = {i for i, yes in zip(ids, drawn(ids, "salt", "shadow", 0.3), strict=True) if yes}
    assert 0 < len(wanted) < len(ids)
    assert {log.ticket_id for log in logs(run)} == wanted
    for log in logs(run):
        (shadow,) = log.shadows
        assert (shadow.worker, shadow.version, shadow.missing) == ("echo_a", "1", None)
        assert (shadow.label, shadow.vector) == (
            log.ballot.votes[0].label,
            log.ballot.vectors[0],
        )
        assert [vote.worker for vote in log.ballot.votes] == ["echo_a", "echo_b"]


async def test_it_is_said_once_that_a_version_is_missing_and_counted_each_time(
    make: MakeHandler, caplog: pytest.LogCaptureFixture
) -> None:
    run = make(trials=[MISSING])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await run.of(ticket(votes(1, 1, 2)))
            (log,) = logs(run)
            assert [vote.missing for vote in log.shadows] == ["outage"]
    assert sum("shadow version 7 of echo_a" in one.message for one in caplog.records) == 1
    line = 'streamer_shadow_answers_total{outcome="outage",version="7",worker="echo_a"} 3.0'
    rendered = run.metrics.render().decode()
    assert line in rendered, [row for row in rendered.splitlines() if "shadow" in row]


async def test_labels_and_requests_leave_before_the_shadow_is_waited_for(
    make: MakeHandler,
) -> None:
    run = await make(trials=[ALL]).of(ticket(votes(1, 1, 2)), ticket(votes(0, 1, 2)))
    topics = [item.topic for group in run.groups for item in group if hasattr(item, "topic")]
    first = topics.index("log")
    assert set(topics[first:]) == {"log"}
    assert {"labels", "judge"} <= set(topics[:first])


class Small:
    """A client of a model that takes three rows a call, and names the label of their length."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    async def most_rows(self, *asked: object) -> int:
        return 3

    async def labels(self, *asked: object) -> tuple[str, tuple[str, ...]]:
        return "1", ECHO_LABELS

    async def infer(
        self, model: str, tensor: TextTensor, deadline_s: float, *, version: str
    ) -> tuple[str, object]:
        assert len(tensor) <= 3
        self.calls.append(len(tensor))
        rows = [len(text) % 4 for text in tensor.texts]
        return "1", np.eye(4, dtype=np.float32)[rows]


async def test_a_version_that_takes_few_rows_a_call_is_asked_in_parts() -> None:
    client = Small()
    shadow = Shadow(client, ALL, ECHO_LABELS)
    said = await shadow.votes([b"x" * length for length in range(8)])
    assert [vote.label for vote in said] == [*ECHO_LABELS, *ECHO_LABELS]
    assert client.calls == [2, 3, 3, 2]  # a canary, and eight rows
