"""The breaker against a plain model of it, on a clock that only the test moves."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streamer.workers.breaker import Breaker, BreakerState

THRESHOLD, FIRST_S, LONGEST_S = 3, 0.2, 5.0


class BreakerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.luck = 0.0
        self.in_a_row = 0
        self.opened: float | None = None
        self.probing = False
        self.failed_probes = 0
        self.last_failure = 0.0
        self.breaker = Breaker(
            threshold=THRESHOLD,
            first_s=FIRST_S,
            longest_s=LONGEST_S,
            clock=lambda: self.now,
            chance=lambda: self.luck,
        )

    @rule(seconds=st.floats(0, 10))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(luck=st.floats(0, 1, exclude_max=True))
    def luck_changes(self, luck: float) -> None:
        self.luck = luck

    @rule()
    def a_call_fails(self) -> None:
        self.breaker.failed()
        if self.opened is None:
            self.in_a_row += 1
            if self.in_a_row == THRESHOLD:
                self.opens()

    @rule()
    def a_call_succeeds(self) -> None:
        self.breaker.succeeded()
        if self.opened is None:
            self.in_a_row = 0

    @rule()
    def it_is_tripped(self) -> None:
        self.breaker.trip()
        if self.opened is None:
            self.opens()

    def opens(self) -> None:
        self.opened = self.last_failure = self.now
        self.failed_probes = 0

    @rule()
    def somebody_wants_to_probe(self) -> None:
        due = self.breaker.pause_s == 0
        waited = self.now - self.last_failure
        granted = self.breaker.begin_probe()
        if self.opened is None or self.probing:
            assert not granted
            return
        pause = min(FIRST_S * 2**self.failed_probes, LONGEST_S)
        assert granted == due
        if waited < pause / 2 - 1e-9:
            assert not granted
        if waited > pause + 1e-9:
            assert granted
        self.probing = granted

    @precondition(lambda self: self.probing)
    @rule()
    def the_probe_fails(self) -> None:
        self.breaker.probe_failed()
        self.probing = False
        self.failed_probes += 1
        self.last_failure = self.now

    @precondition(lambda self: self.probing)
    @rule()
    def the_probe_succeeds(self) -> None:
        self.breaker.probe_succeeded()
        self.probing = False
        self.opened = None
        self.in_a_row = 0

    @invariant()
    def it_shows_its_state(self) -> None:
        wanted = BreakerState.CLOSED if self.opened is None else BreakerState.OPEN
        assert self.breaker.state is (BreakerState.PROBING if self.probing else wanted)
        assert self.breaker.open_since == self.opened
        assert self.breaker.open_s == (0 if self.opened is None else self.now - self.opened)
        assert 0 <= self.breaker.pause_s <= LONGEST_S


TestBreaker = BreakerMachine.TestCase
