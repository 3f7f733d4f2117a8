"""What the person who asks for an evaluation can choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamer.decide.arbitration_rules import ArbitrationRule
from streamer.decide.deferral_rule import DeferralRule
from streamer.errors import ConfigError
from streamer.learn.measures.bootstrap import Bootstrap
from streamer.records.calibration import RouterWeights


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one answer, by worker, and of one verdict: GPU-seconds, money or seconds of latency."""

    workers: Mapping[str, float]
    judge: float

    def relative(self, names: Sequence[str]) -> tuple[float, ...]:
        """Each worker's over the judge's (rho), in order; raises `ConfigError`."""
        missing = [name for name in names if name not in self.workers]
        if missing or self.judge <= 0:
            problem = (
                f"no price for {', '.join(missing)}" if missing else "the judge's must be over 0"
            )
            raise ConfigError(f"prices: {problem}; give one for each worker and for the judge")
        return tuple(self.workers[name] / self.judge for name in names)


@dataclass(frozen=True, slots=True)
class Options:
    """How tickets are evaluated.

    `pool` are the workers of the task in their order (default: all of the log); pairs and triples
    are made of all workers all the same. `rule` and `after` are the setting of the service
    (default: majority, and the judge's label). `temperatures` are by model, the judge's under
    `judge`. Without `router` one is trained on the log and judged by cross-fitting. `latencies`
    are in seconds; without them no latency is stated. `small_judge` is a worker of the log that is
    tried as a judge between the others and the log's judge; labels may be worse by `margin`, as a
    share of the tickets.
    """

    costs: Prices
    pool: tuple[str, ...] | None = None
    latencies: Prices | None = None
    rule: DeferralRule | None = None
    after: ArbitrationRule | None = None
    temperatures: Mapping[str, float] = field(default_factory=dict)
    router: RouterWeights | None = None
    small_judge: str | None = None
    margin: float = 0.01
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
