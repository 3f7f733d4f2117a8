"""Tickets of segments, with shares and agreements that a test sets."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from streamer.monitoring.expected import Expected
from streamer.monitoring.expected_segments import ExpectedSegments
from tests.monitoring.scene import KNOWN, Counts, Scene

SHARES = {"1": 0.5, "2": 0.3, "3": 0.15, "4": 0.05}
NAMES = {"1": "card payment", "2": "refund order", "3": "app crash", "4": "new phone"}
SEGMENTS = ExpectedSegments("v1", NAMES, SHARES)
WITH = replace(KNOWN, segments=SEGMENTS)
TICKETS = 200
"""In a window of ten seconds."""


class Stream:
    """Tickets of segments, with shares and agreements that a test sets."""

    def __init__(self, seed: int) -> None:
        print("seed", seed)
        self._some = np.random.default_rng(seed)

    def counts(
        self,
        shares: Mapping[str, float] = SHARES,
        far: float = 0.005,
        unsure: float = 0.05,
        fidelity: Mapping[str, float] | None = None,
        tickets: int = TICKETS,
        version: str = SEGMENTS.version,
    ) -> Counts:
        """What a window counts; a fifth of the routed tickets is audited."""
        left, away, doubted = self._some.multinomial(tickets, [1 - far - unsure, far, unsure])
        named = dict(zip(shares, self._some.multinomial(left, [*shares.values()]), strict=True))
        agrees = dict.fromkeys(shares, 0.97) | dict(fidelity or {})
        audits = {}
        for number, n in named.items():
            of = self._some.binomial(n, 0.2)
            yes = self._some.binomial(of, agrees[number])
            audits |= {f"{number}/yes": int(yes), f"{number}/no": int(of - yes)}
        yes = sum(n for path, n in audits.items() if path.endswith("yes"))
        return {
            "segments": {number: int(n) for number, n in named.items()}
            | {"general": int(away + doubted)},
            "routed": {version: tickets},
            "unrouted": {"far": int(away), "unsure": int(doubted)},
            "segment_audited": audits,
            "audited": {"yes": yes, "no": sum(audits.values()) - yes},
        }


def windows(scene: Scene, stream: Stream, many: int, **how: Any) -> Iterator[int]:
    """A window of ten seconds each time; yields how many there were."""
    for number in range(1, many + 1):
        scene.tell(stream.counts(**how))
        scene.later(10)
        yield number


def settled(seed: int, known: Expected = WITH) -> tuple[Scene, Stream]:
    """A scene that is as expected for long enough to know each segment's first audits."""
    scene, stream = Scene(known), Stream(seed)
    for _ in windows(scene, stream, 200):
        pass
    assert not [r for r in scene.readings() if r.out]
    return scene, stream
