"""`streamer demo --loop`: a young task learns from its judge, and the judge is asked less."""

from streamer.dev.demo.loop.run import run

__all__ = ["run"]
