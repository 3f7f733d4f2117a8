"""Audits are counted by what was in force when the rule accepted."""

from streamer.observe.metrics import Metrics
from streamer.services.judge.fidelity import LiveFidelity
from tests.services.judging import request


class Agrees:
    """Verdicts that agree with all but the first."""

    judge = "7"

    def agreed(self, place: int) -> bool:
        return place > 0


def test_audits_are_counted_by_calibration() -> None:
    metrics = Metrics(["mood"])
    of = {"uniform": True, "accepted": True, "purpose": "audit"}
    requests = [
        request("a", number=number, calibration=version, **of)
        for number, version in enumerate(["old", "new", "new", None])
    ]
    LiveFidelity(metrics).look("mood", requests, Agrees())
    said = set(metrics.render().decode().splitlines())
    assert said >= {
        'streamer_audited_total{agreed="no",task="mood"} 1.0',
        'streamer_audited_total{agreed="yes",task="mood"} 3.0',
        'streamer_calibration_audited_total{agreed="no",calibration="old",task="mood"} 1.0',
        'streamer_calibration_audited_total{agreed="yes",calibration="new",task="mood"} 2.0',
    }
    assert not any('calibration="None"' in line for line in said)
