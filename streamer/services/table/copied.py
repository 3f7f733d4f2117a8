"""A label written again at another message of its ticket."""

from typing import Any

import orjson

from streamer.records.identity import TicketIdentity
from streamer.records.rank import Rank
from streamer.services.table.said import Word, word


def copied(given: Word, to: Rank) -> Word:
    """The word at the rank `to`, as a label that every reader of version 1 takes for the state.

    It says in `carried` where it was given first; one by workers or judge says in `released` that
    a person's was given up for it.
    """
    raw = orjson.loads(given.body)
    assert to.place.partition is not None  # the rank of a label, which has a whole position
    topic, partition = to.place.partition
    offset, source = to.place.offset, raw["position"]["source"]
    identity = TicketIdentity(source, topic, partition, offset)
    label: dict[str, Any] = {
        **raw,
        "revision": to.revision,
        "final": True,
        "position": {"source": source, "topic": topic, "partition": partition, "offset": offset},
        "decision_id": identity.decision_id(raw["task"]),
        "carried": raw.get("carried") or raw["position"],
        "released": given.spoke is None,
    }
    return word(orjson.dumps(label))
