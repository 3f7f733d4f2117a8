"""What a decision rests on, as records carry it."""

from dataclasses import dataclass

from streamer.records.label import Rule, Segmented


@dataclass(frozen=True, slots=True)
class Provenance:
    """The rule before the judge, the version of the calibration, and the segment, where there are
    any.
    """

    rule: Rule
    calibration: str | None = None
    segment: Segmented | None = None
