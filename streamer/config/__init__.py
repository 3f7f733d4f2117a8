"""streamer.yaml as frozen, validated settings."""

from streamer.config.load import load
from streamer.config.settings import Settings

__all__ = ["Settings", "load"]
