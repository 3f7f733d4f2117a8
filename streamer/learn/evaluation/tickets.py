"""The tickets of an evaluation, ready for rules: those that the judge has seen, tempered."""

from dataclasses import dataclass, replace

import numpy as np

from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.distributions import Float64
from streamer.decide.predictions import ABSTAINED
from streamer.decide.temperature import tempered
from streamer.decide.third_worker import asked_first, third_asked
from streamer.decide.votes import VoteRule, plurality
from streamer.errors import ConfigError
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.evaluation.options import Options
from streamer.learn.measures.scores import Labels

_MOST_WORKERS = 3


@dataclass(frozen=True, slots=True)
class Tickets:
    """N tickets with the answers of a pool of workers and of the judge.

    `raw` has all workers of the log, as they answered; `pool` has the pool's alone, tempered.
    `fallback` [N] is the label that most of the pool name. `unjudged` tickets were left out: what
    the judge would have said of them is unknown.
    """

    raw: Dataset
    pool: Dataset
    rule: DeferralRule
    fallback: Labels
    unjudged: int

    @classmethod
    def of(cls, dataset: Dataset, options: Options) -> "Tickets":
        """Raises `ConfigError` for a log without verdicts, or a pool that no rule can serve."""
        judged = np.flatnonzero(dataset.judge.label_ids != ABSTAINED)
        if not len(judged):
            raise ConfigError("no ticket of the log has a verdict: log an audit share, then repeat")
        raw = dataset[judged]
        pool = raw.of(_indexes(dataset, options))
        warm = replace(
            pool,
            worker_predictions=tuple(
                tempered(predictions, options.temperatures.get(name, 1.0))
                for name, predictions in zip(pool.workers, pool.worker_predictions, strict=True)
            ),
            judge=tempered(pool.judge, options.temperatures.get("judge", 1.0)),
        )
        rule = options.rule or _majority(len(pool.workers))
        return cls(
            raw,
            warm,
            rule,
            plurality(warm.worker_predictions).label_ids,
            len(dataset) - len(judged),
        )

    @property
    def graded(self) -> Labels:
        """The rows of the tickets with a known truth."""
        return np.flatnonzero(self.pool.gold != UNKNOWN)

    @property
    def soft(self) -> bool:
        """Whether every worker of the pool gives probabilities."""
        return all(
            predictions.probabilities is not None for predictions in self.pool.worker_predictions
        )

    def asked(self, rule: DeferralRule) -> Float64:
        """[W, N]: 1 where the worker is asked under the rule; a third only if it can matter."""
        worker_predictions = self.pool.worker_predictions
        asked = np.ones((len(worker_predictions), len(self.pool)))
        asked[asked_first(rule) :] = third_asked(rule, worker_predictions)
        return asked


def _indexes(dataset: Dataset, options: Options) -> tuple[int, ...]:
    pool = options.pool or dataset.workers
    unknown = [name for name in pool if name not in dataset.workers]
    if unknown:
        raise ConfigError(f"the log knows no worker {', '.join(unknown)}; name one of its workers")
    if not 1 <= len(pool) <= _MOST_WORKERS:
        raise ConfigError(f"a task has 1 to 3 workers, not {len(pool)}: name those of the pool")
    return tuple(dataset.workers.index(name) for name in pool)


def _majority(workers: int) -> DeferralRule:
    if workers == 1:
        raise ConfigError("a single worker always agrees with itself: evaluate it with rule chow")
    return VoteRule("majority", workers)
