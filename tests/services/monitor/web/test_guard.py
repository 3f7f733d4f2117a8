"""Who may ask the monitor."""

import pytest

from streamer.services.monitor.exposure import is_loopback
from tests.services.monitor.web.material import Made
from tests.services.monitor.web.site import TOKEN, Site

DATA = ("/api/state", "/api/series?task=topic", "/api/alarms", "/api/tickets", "/api/tickets/x",
        "/api/events", "/metrics", "/api/nothing")  # fmt: skip
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("path", DATA)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer \u00fc"},
        {"Cookie": f"token={TOKEN}"},
    ],
)
async def test_data_needs_the_token(path: str, headers: dict[str, str]) -> None:
    async with Site(Made(), token=TOKEN) as site:
        status, body, answered = await site.get(path, headers)
        assert status == 401
        assert body == '{"error":"the monitor\'s token is needed: Authorization: Bearer TOKEN"}'
        assert answered["WWW-Authenticate"] == "Bearer"


async def test_with_the_token_there_is_data_and_the_page_needs_none() -> None:
    async with Site(Made(), token=TOKEN) as site:
        for path in ("/api/state", "/api/alarms", "/api/tickets", "/metrics"):
            assert (await site.get(path, BEARER))[0] == 200
        assert (await site.get(f"/api/state?token={TOKEN}"))[0] == 401
        for path in ("/", "/static/main.js", "/healthz", "/readyz"):
            assert (await site.get(path))[0] == 200
        assert "data-token" in (await site.get("/"))[1]
    async with Site(Made()) as site:
        assert "data-token" not in (await site.get("/"))[1]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:9466", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:9466", 200),
        ("monitor.localhost", 200),
        ("evil.example", 421),
        ("evil.example:9466", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("10.0.0.7", 421),
        ("localhost@evil.example", 421),
        ("[", 421),
    ],
)
async def test_on_loopback_only_its_own_names_are_answered(host: str, status: int) -> None:
    async with Site(Made()) as site:
        for path in ("/", "/api/state", "/metrics"):
            assert (await site.get(path, {"Host": host}))[0] == status


async def test_other_sites_may_not_ask() -> None:
    async with Site(Made()) as site:
        for kind, status in (("same-origin", 200), ("none", 200), ("cross-site", 403)):
            assert (await site.get("/api/state", {"Sec-Fetch-Site": kind}))[0] == status
        assert (await site.get("/api/tickets/x", {"Sec-Fetch-Site": "same-site"}))[0] == 403
        assert (await site.get("/", {"Sec-Fetch-Site": "cross-site"}))[0] == 200
        answered = (await site.get("/api/state", {"Origin": "http://evil.example"}))[2]
        assert "Access-Control-Allow-Origin" not in answered


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/api/state", "/nothing", "/metrics"])
async def test_every_answer_carries_the_policy(path: str) -> None:
    async with Site(Made()) as site:
        _, _, headers = await site.get(path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_loopback_is_known_by_address_and_name() -> None:
    own = ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "a.localhost")
    others = ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "", "127.0.0.1.evil.example")
    assert [is_loopback(host) for host in own] == [True] * len(own)
    assert [is_loopback(host) for host in others] == [False] * len(others)
