"""The decoder that docs/privacy.md shows, as it stands there."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from streamer.config.settings import Input
from streamer.services.intake.ticket_reader import TicketReader
from tests.services.making import votes
from tests.services.records import Rec, ticket

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
SECRETS = ("ann@example.org", "+49 (30) 123-4567", "0301234567")


@pytest.fixture
def decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which the page's decoder can be configured."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "redaction.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "redaction", raising=False)
    return "redaction.redacted"


def test_addresses_and_numbers_are_gone_and_all_else_stays(decoder: str) -> None:
    intake = TicketReader.of(Input(text=("/subject", "/body/text"), decoder=decoder))
    body = {
        "id": "2026-1042-337",
        "subject": f"Call {SECRETS[1]}",
        "body": {"text": f"I am {SECRETS[0]}. Order 12345, since 2024, room 7."},
        "history": [{"from": SECRETS[0], "count": 3}, SECRETS[2]],
    }
    found = intake.ticket(Rec(orjson.dumps(body)))
    assert found.id == "2026-1042-337"
    assert found.text == "Call <phone>\nI am <email>. Order 12345, since 2024, room 7."
    written = orjson.dumps(found)
    assert not any(secret.encode() in written for secret in SECRETS)


async def test_nothing_that_classify_writes_holds_them_but_dead_letters(
    make: Callable[..., Any], decoder: str
) -> None:
    from streamer.services.intake.decoding import load_decoder

    text = " ".join(["#echo_a=0 #echo_b=1 #echo_c=2", *SECRETS])
    dead = Rec(orjson.dumps({"id": "", "text": SECRETS[0]}), b"k")
    run = await make(decoder=load_decoder(decoder)).of(ticket(votes(0, 0)), ticket(text), dead)
    assert len(run.requests) == 1
    assert "<email>" in run.requests[0].ticket.text
    (letter,) = run.dead
    assert letter.value == dead.value
    others = b"".join(item.value or b"" for item in run.items if item is not letter)
    assert not any(secret.encode() in others for secret in SECRETS)
