import pytest

from streamer.stream.topics import misspelt


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
