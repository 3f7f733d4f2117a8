import pytest

from streamer.commands.check.propose import Proposal, propose

LONG = "I was charged twice this month and nobody answers."


@pytest.mark.parametrize(
    ("ticket", "found"),
    [
        ({"id": "7", "text": LONG}, Proposal("/id", ("/text",))),
        (
            {"id": "7", "subject": "Bill, again", "body": LONG, "lang": "en"},
            Proposal("/id", ("/subject", "/body")),
        ),
        (
            {"ticket": {"number": 7, "title": "Bill, again"}, "description": LONG},
            Proposal("/ticket/number", ("/ticket/title", "/description")),
        ),
        # By what is in them, where no name is known.
        ({"nummer": 7, "inhalt": LONG, "ort": "am Meer"}, Proposal("/nummer", ("/inhalt",))),
        ({"a/b": "x7", "text": LONG}, Proposal("/a~1b", ("/text",))),
        # A name alone is enough for a text, but not for one without words.
        ({"id": "7", "text": "Hi there"}, Proposal("/id", ("/text",))),
        ({"id": "7", "text": "refund"}, Proposal("/id", ())),
        ({"paid": True, "tags": ["a b"]}, Proposal(None, ())),
    ],
)
def test_finds_id_and_text_of_one_ticket(ticket: dict, found: Proposal) -> None:
    assert propose([ticket]) == found


def test_an_id_is_in_every_ticket_and_never_twice() -> None:
    some = [
        {"id": "same", "number": 1, "uuid": "a", "text": LONG},
        {"id": "same", "number": 2, "text": LONG},
    ]
    assert propose(some).id == "/number"


def test_nothing_seen_is_nothing_proposed() -> None:
    assert propose([]) == Proposal()
