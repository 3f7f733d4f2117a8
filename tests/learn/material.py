"""Small made-up tickets: labels are told apart by words, with noise so that nobody is perfect."""

import random

from streamer.learn.data.examples import Examples
from streamer.records.labelset import LabelSet

LABELS = LabelSet(("refund", "login", "shipping"))

_WORDS = {
    "refund": ["refund", "money", "charged", "invoice", "twice"],
    "login": ["password", "login", "locked", "account", "reset"],
    "shipping": ["parcel", "delivery", "late", "address", "courier"],
}
_FILLER = ["please", "help", "the", "my", "is", "since", "monday", "again", "thanks", "hello"]


def made_up(count: int, seed: int = 7) -> Examples:
    """`count` labelled texts; every tenth has the words of another label."""
    source = random.Random(seed)
    texts, labels = [], []
    for number in range(count):
        label = LABELS.labels[number % len(LABELS)]
        about = source.choice(LABELS.labels) if number % 10 == 0 else label
        chosen = source.choices(_WORDS[about], k=2) + source.choices(_FILLER, k=4)
        source.shuffle(chosen)
        texts.append(" ".join(chosen) + f" #{number}")
        labels.append(label)
    return Examples(tuple(texts), tuple(labels))
