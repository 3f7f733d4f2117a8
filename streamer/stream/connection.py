"""How every Kafka client of ours connects."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Connection:
    """Address and transport security, the same for consumers, producers and admin clients."""

    bootstrap: str
    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def options(self) -> dict[str, Any]:
        """Keyword arguments for any aiokafka client; raises `ConfigError` for unusable files."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.protocol,
        }
        if self.protocol.endswith("SSL"):
            options["ssl_context"] = self._ssl_context()
        if self.protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            # The error itself doesn't say which file.
            files = [str(file) for file in (self.ca_file, self.cert_file, self.key_file) if file]
            raise ConfigError(
                f"kafka.security: {', '.join(files)} can't be used ({error}); "
                "they must be PEM files that this user can read"
            ) from None
        return context
