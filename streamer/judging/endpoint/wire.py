"""Single requests to an endpoint: what goes out, and what came back instead of an answer."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from streamer.judging.endpoint.address import Address
from streamer.judging.endpoint.faults import Busy, Failed, Refused

# An answer to one ticket has some kilobytes.
_LARGEST = 4 * 2**20
_LONGEST_PAUSE = 3600.0
_BUSY = (429, 503)
_SAID = 500


class Wire:
    """Asks once and never again. Belongs to the event loop that first asks."""

    def __init__(self, address: Address) -> None:
        """Raises `ConfigError` for a certificate that can't be read."""
        self.address = address
        self._tls = address.tls() if address.url.startswith("https:") else None
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str) -> Any:
        """As `post`, without a body."""
        return await self._answer("GET", url, None, {})

    async def post(
        self, url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Any:
        """What was answered, as JSON. Raises `Busy`, `Failed` or `Refused`."""
        return await self._answer("POST", url, body, headers or {})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _answer(
        self, method: str, url: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> Any:
        try:
            # Who redirects would send tickets to where nobody said that they may go.
            async with self._open().request(
                method, url, json=body, headers=dict(headers), allow_redirects=False
            ) as response:
                return _read(response, await _body(response))
        except aiohttp.ClientConnectorError as error:
            raise Failed("unreachable", f"no connection ({error.os_error or error})") from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Failed("lost", f"the connection broke off ({type(error).__name__})") from None
        except TimeoutError:
            raise Failed("late", f"no answer within {self.address.timeout:g} s") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            address = self.address
            key = {} if address.key is None else {"Authorization": f"Bearer {address.key}"}
            connector = aiohttp.TCPConnector(limit=address.in_flight + 1, ssl=self._tls or True)
            timeout = aiohttp.ClientTimeout(total=address.timeout)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, headers=key)
        return self._session


async def _body(response: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for chunk in response.content.iter_any():
        found += chunk
        if len(found) > _LARGEST:
            response.close()
            raise Failed("unusable", f"an answer of more than {_LARGEST} bytes")
    return bytes(found)


def _read(response: aiohttp.ClientResponse, body: bytes) -> Any:
    status = response.status
    pause = _pause(response.headers.get("Retry-After"))
    if status == 429 or (status in _BUSY and pause is not None):
        raise Busy(pause)
    if status == 408 or (status >= 500 and status != 501):
        raise Failed("error", f"HTTP {status}")
    if status >= 300:
        raise Refused(status, body[:_SAID].decode(errors="replace"))
    try:
        return json.loads(body)
    except ValueError:
        raise Failed("unusable", "an answer that is no JSON") from None


def _pause(text: str | None) -> float | None:
    """Seconds to wait, given as such or as a date."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE) if seconds == seconds else None
