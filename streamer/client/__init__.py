"""The typed reader of labels, for subscribers: needs only the package's base dependencies."""

from streamer.client.labels import Deletion, labels
from streamer.client.record import LabelRecord
from streamer.client.stream import LabelStream
from streamer.client.table import LabelTable
from streamer.client.unreadable import UnreadableLabel
from streamer.records.label import Label

__all__ = [
    "Deletion",
    "Label",
    "LabelRecord",
    "LabelStream",
    "LabelTable",
    "UnreadableLabel",
    "labels",
]
