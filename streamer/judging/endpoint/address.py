"""Where an endpoint is, and how it is reached."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from streamer.errors import ConfigError, in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`url` is what clients of OpenAI call the base address: its path, or /v1 where it has none.

    `model` is the name that it is served by; None takes the only one there is. `timeout` is in
    seconds, and at most `in_flight` requests are open at once. Without `ca_file` (PEM) the
    certificate must be of one of the system's authorities.
    """

    url: str
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout: float = 15.0
    in_flight: int = 64

    @property
    def base(self) -> str:
        """What paths of OpenAI's own begin with."""
        url = self.url.rstrip("/")
        return url if urlsplit(url).path else f"{url}/v1"

    @property
    def root(self) -> str:
        """What paths of vLLM's own begin with."""
        return self.base.removesuffix("/v1")

    @property
    def host(self) -> str:
        """Host and port, as in the address."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def hostname(self) -> str | None:
        """The host alone."""
        return urlsplit(self.url).hostname

    @property
    def port(self) -> int:
        """The port, be it the scheme's own."""
        url = urlsplit(self.url)
        return url.port or (443 if url.scheme == "https" else 80)

    def tls(self) -> ssl.SSLContext:
        """Raises `ConfigError` where the authority's file can't be read."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"judge.endpoint.ca_file: {self.ca_file} holds no certificates "
                f"({in_words(error)}); name a file in PEM format"
            ) from None
