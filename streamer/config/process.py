"""What every process that listens or works through a topic has: its bounds and its port."""

from pydantic import Field

from streamer.config.base import Block


class Flow(Block):
    """How much work a service holds at once."""

    max_batch: int = Field(default=2048, ge=1, le=4096)
    in_flight: int = Field(default=3, ge=1, le=64)
    max_buffered: int = Field(default=8192, ge=1)
    max_bytes: int = Field(default=512 * 2**20, ge=2**24)


class Listen(Block):
    """Where a service answers /metrics, /healthz and /readyz; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
