"""How often the judge would have agreed with what the rule accepted without it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from streamer.decide.confidence_sequence import always_valid_interval
from streamer.records.judge_request import JudgeRequest
from streamer.records.label import Rule
from streamer.services.judge.verdicts import Verdicts


class FidelityShare(NamedTuple):
    """A share with its interval."""

    low: float
    estimate: float
    high: float


class LiveFidelity:
    """Knows each task's share of agreement with an interval, from the uniform sample alone.

    Its audits count, and its verifications, where the rule itself let the label stand: what a
    fallback or the optimistic mode published says nothing about the rule. The interval holds at
    every look together with 95 %, since a gauge is looked at all the time; but only for one
    constant share. So a new rule, calibration, label set or judge starts anew.
    """

    def __init__(self) -> None:
        self._seen: dict[str, _Tally] = {}

    def look(
        self, task: str, requests: Sequence[JudgeRequest], verdicts: Verdicts
    ) -> tuple[list[tuple[JudgeRequest, bool]], FidelityShare | None]:
        """Those of some requests of one task, in their order, that are audits of its rule, and
        whether the judge agreed; and the share with them, where there are any.
        """
        audits = [
            (request, agreed)
            for row, request in enumerate(requests)
            if _counts(request) and (agreed := verdicts.agreed(row)) is not None
        ]
        if not audits:
            return [], None
        tally = self._seen.get(task, _Tally())
        for request, agreed in audits:
            tally = tally.then(_setting(request, verdicts), agreed)
        self._seen[task] = tally
        low, high = always_valid_interval(tally.hits, tally.total)
        return audits, FidelityShare(float(low), tally.hits / tally.total, float(high))


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the share depends on, besides the tickets."""

    rule: Rule | None
    routing: str | None
    calibration: str | None
    label_set: str
    judge: str


@dataclass(frozen=True, slots=True)
class _Tally:
    setting: _Setting | None = None
    hits: int = 0
    total: int = 0

    def then(self, setting: _Setting, agreed: bool) -> "_Tally":
        """With one verdict more, or of it alone where the setting is another."""
        tally = self if self.setting == setting else _Tally()
        return _Tally(setting, tally.hits + agreed, tally.total + 1)


def _counts(request: JudgeRequest) -> bool:
    return request.uniform and request.accepted and request.purpose != "decide"


def _setting(request: JudgeRequest, verdicts: Verdicts) -> _Setting:
    segment = request.segment
    return _Setting(
        # With segments the rule varies from ticket to ticket, and the routing says all of them.
        request.rule if segment is None else None,
        None if segment is None else segment.version,
        request.calibration,
        request.label_set,
        verdicts.judge,
    )
