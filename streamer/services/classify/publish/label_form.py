"""Writes the labels that the workers settled, many at a time."""

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import orjson
from numpy.typing import NDArray

from streamer.decide.decision import Decision
from streamer.decide.rounding import rounded
from streamer.decide.vote_result import Provenance, Rows
from streamer.records.identities import decision_ids
from streamer.records.label import Label, Position, Source
from streamer.records.labelset import LabelSet
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.publish.ballots import Ballots

_KNOWN = 10_000
# JSON escapes both characters, so that no label's name can hold one.
_TEXT, _WORD, _NUMBER = (orjson.Fragment(raw) for raw in (b"\0", b'"\0"', b"\1"))

Combination = tuple[int, ...]
"""The number of the rule, the label, and each worker's vote."""


class LabelForm:
    """Writes labels of one task; what it writes reads back as the same `Label`.

    To make a `Label` with its parts and turn it into JSON takes 15 µs, as much as all else that is
    done for a ticket. Here whatever was said before is a template, and only ids, numbers and times
    are filled in: 1 µs. `source` is the input's name.
    """

    def __init__(
        self,
        source: str,
        task: str,
        label_set: LabelSet,
        provenances: Sequence[Provenance],
        backfill: str | None = None,
    ) -> None:
        self._source = source
        self._task = task
        self._label_set = label_set
        self._provenances = tuple(provenances)
        self._backfill = backfill
        self._templates: dict[object, dict[Combination, bytes]] = {}

    def write(
        self,
        arrivals: Sequence[Arrival],
        decision: Decision,
        ballots: Ballots,
        rule_index: Rows,
        source: Source,
        final: bool,
        decided_at: str,
    ) -> list[bytes]:
        """The labels of N tickets as JSON; nothing of use where no label stands.

        `rule_index` [N] says which of the provenances each has.
        """
        topic = arrivals[0].record.topic
        templates = self._templates.setdefault((topic, source, final, ballots.kinds), {})
        if len(templates) > _KNOWN:
            templates.clear()
        label_ids = (rule_index.tolist(), decision.label_ids.tolist(), *ballots.label_ids.tolist())
        combinations = list(zip(*label_ids, strict=True))
        for combination in set(combinations).difference(templates):
            label = self._label(topic, source, final, ballots, combination)
            templates[combination] = _template(label)
        filled = zip(
            [orjson.dumps(arrival.ticket.id) for arrival in arrivals],
            _numbers(rounded(decision.confidence)),
            *map(_numbers, ballots.shares),
            decision_ids([arrival.digest for arrival in arrivals], self._task),
            [arrival.record.partition for arrival in arrivals],
            [arrival.record.offset for arrival in arrivals],
            [orjson.dumps(arrival.ticket.created_at) for arrival in arrivals],
            repeat(orjson.dumps(decided_at)),
        )
        return [
            templates[each] % fields for each, fields in zip(combinations, filled, strict=False)
        ]

    def _label(
        self, topic: str, source: Source, final: bool, ballots: Ballots, combination: Combination
    ) -> Label:
        rule_index, label_id, *votes = combination
        provenance = self._provenances[rule_index]
        return Label(
            ticket_id="",
            task=self._task,
            label=self._label_set.labels[label_id],
            confidence=None,
            source=source,
            revision=0,
            final=final,
            votes=ballots.votes(votes, [0.0] * len(votes)),
            rule=provenance.rule,
            calibration=provenance.calibration,
            label_set=self._label_set.version,
            decision_id="",
            position=Position(self._source, topic, 0, 0),
            created_at="",
            decided_at="",
            backfill=self._backfill,
            segment=provenance.segment,
        )


def _template(label: Label) -> bytes:
    """The label's JSON, with places for what differs from ticket to ticket."""
    fields = orjson.loads(label.to_json())
    slots = ("ticket_id", "confidence", "created_at", "decided_at")
    fields |= dict.fromkeys(slots, _TEXT) | {"decision_id": _WORD}
    fields["votes"] = [vote | {"probability": _TEXT} for vote in fields["votes"]]
    fields["position"] |= {"partition": _NUMBER, "offset": _NUMBER}
    written = orjson.dumps(fields).replace(b"%", b"%%")
    return written.replace(b"\0", b"%b").replace(b"\1", b"%d")


def _numbers(values: NDArray[np.float64]) -> list[bytes]:
    """Each number as JSON has it, null for NaN."""
    row = np.ascontiguousarray(values)
    return orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
