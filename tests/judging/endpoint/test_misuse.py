"""The misuse corpus through an endpoint: no answer leaves the set, and no ticket its frame."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.judging.endpoint.conftest import LABELS, TASK, met
from tests.judging.endpoint.served import SPECIAL, Served, Way

CORPUS = Path(__file__).parents[3] / "sample" / "misuse.jsonl"


@pytest.mark.parametrize("way", ["exact", "listed", "said", "classes"])
async def test_no_attempt_leaves_its_frame_or_the_label_set(way: Way) -> None:
    attempts = [json.loads(line)["text"] for line in CORPUS.read_text().splitlines()]
    assert len(attempts) >= 140
    served = Served((way,), classes=LABELS.labels)
    async with served.running(), met(served) as judge:
        before = len(served.asked)
        asked = (judge.score(TASK, LABELS.version, [text]) for text in attempts)
        found = await asyncio.gather(*asked)
        assert all(one.probabilities.shape == (1, len(LABELS)) for one in found)
        assert all(abs(one.probabilities.sum() - 1) < 1e-5 for one in found)
        bodies = [body for path, body in served.asked[before:] if "tokenize" not in path]
        assert len(bodies) >= len(attempts)
        for body in bodies:
            if "prompt" in body:
                inside = body["prompt"]
                assert inside.count(256) == 3, "a ticket spelled a special token"
                assert not set(inside) & (set(SPECIAL) - {256, 257, 259, 260})
            elif "messages" in body:
                ticket = body["messages"][-1]["content"]
                assert ticket.count("<ticket>") == ticket.count("</ticket>") == 1
                assert ticket.count("<") == 2
        await judge.healthy()
