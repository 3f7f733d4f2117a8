"""A call of a language model, as traces tell of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """In the words of OpenTelemetry's conventions for generative AI: `operation` is one of theirs,
    `provider` says whose form it has. The model is `asked` for by one name and has `answered` by
    its own. `host` and `port` are those of a server; None where it runs here.
    """

    operation: str
    provider: str
    asked: str
    answered: str
    host: str | None = None
    port: int | None = None
