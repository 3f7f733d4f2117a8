"""What happened to one ticket, from the topics alone."""

from streamer.services.inspect.inspection import Inspection
from streamer.services.inspect.search import find

__all__ = ["Inspection", "find"]
