"""The ways from the workers to a last judge, with a small one and without, setting by setting."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from streamer.decide.candidate import likeliest
from streamer.decide.chow import Chow
from streamer.decide.decision import Decision
from streamer.decide.distributions import Float64
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.temperature import tempered
from streamer.decide.vote_result import Mask
from streamer.errors import ConfigError
from streamer.learn.data.dataset import Dataset
from streamer.learn.evaluation.cross_fitted import Setting
from streamer.learn.evaluation.families import Family, families
from streamer.learn.evaluation.options import Options
from streamer.learn.evaluation.scalars import costs
from streamer.learn.evaluation.tickets import Tickets
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.threshold_families import Sweep

_EVERY = 5
"""So many thresholds of a family are passed over: those of workers and small judge multiply."""


@dataclass(frozen=True, slots=True)
class TwoJudges:
    """The tickets of the other workers, `families` of their rules, and the `small` judge's answers
    at a `price` each. Prices are in units of a verdict of the large judge, who is the log's.
    """

    tickets: Tickets
    families: tuple[Family, ...]
    prices: tuple[float, ...]
    small: Predictions
    price: float

    @classmethod
    def of(cls, dataset: Dataset, small: str, options: Options) -> "TwoJudges":
        """Of a log that has the small judge among its workers; raises `ConfigError`."""
        others = _others(small, dataset, options)
        tickets = Tickets.of(dataset, others)
        if not tickets.soft and len(tickets.pool.workers) == 1:
            raise ConfigError(
                f"{small}: beside it the log has one worker, of labels only, so nothing says when"
                " to ask a judge: log a second worker"
            )
        answers = tickets.raw.worker_predictions[dataset.workers.index(small)]
        return cls(
            tickets,
            tuple(families(tickets, others)),
            options.costs.relative(tickets.pool.workers),
            tempered(answers, options.temperatures.get(small, 1.0)),
            *options.costs.relative((small,)),
        )

    def to_large(self) -> Iterator[Setting]:
        """Workers, and the large judge for what they leave open."""
        for name, accepted, spent in self._accepted():
            yield self._setting(name, accepted, self._large, spent + (accepted == ABSTAINED))

    def to_small(self) -> Iterator[Setting]:
        """Workers, and the small judge for what they leave open."""
        for name, accepted, spent in self._accepted():
            asked = self.price * (accepted == ABSTAINED)
            yield self._setting(name, accepted, self.small.label_ids, spent + asked)

    def through_both(self) -> Iterator[Setting]:
        """Workers, the small judge, and the large one for what both leave open."""
        settled = list(self._settled())
        for name, accepted, spent in self._accepted():
            left = accepted == ABSTAINED
            for how, stands in settled:
                said = np.where(stands, self.small.label_ids, self._large)
                asked = self.price * left + (left & ~stands)
                yield self._setting(f"{name}; {how}", accepted, said, spent + asked)

    @property
    def _large(self) -> Labels:
        return self.tickets.pool.judge.label_ids

    def _setting(self, name: str, accepted: Labels, said: Labels, spent: Float64) -> Setting:
        final = np.where(accepted == ABSTAINED, said, accepted)
        return Setting(name, final == self.tickets.pool.gold, spent)

    def _accepted(self) -> Iterator[tuple[str, Labels, Float64]]:
        """By each rule: the labels [N] that stand without a judge, and what the workers cost."""
        for family in self.families:
            spent = costs(family.asked, self.prices)
            for threshold in family.sweep.thresholds()[::_EVERY].tolist():
                stands = family.sweep.accepted(threshold)
                name = family.name if family.fixed else f"{family.name} at least {threshold:.3f}"
                yield name, np.where(stands, family.sweep.label_ids, ABSTAINED), spent

    def _settled(self) -> Iterator[tuple[str, Mask]]:
        """By each reason to trust the small judge: where [N] its label stands."""
        named, workers = self.small.label_ids, self.tickets.pool.worker_predictions
        answered = named != ABSTAINED
        yield "as the likeliest", answered & (named == likeliest(workers).label_ids)
        yield "as a worker", answered & np.any([named == w.label_ids for w in workers], axis=0)
        if self.small.probabilities is not None:
            sure = Sweep.of(Decision(named, self.small.confidence.astype(np.float64)))
            for threshold in sure.thresholds()[::_EVERY].tolist():
                yield f"at least {threshold:.3f} sure", sure.accepted(threshold)


def _others(small: str, dataset: Dataset, options: Options) -> Options:
    """Those of the other workers, whose every rule is tried, so that none is served."""
    if small not in dataset.workers:
        raise ConfigError(f"the log knows no worker {small}: a small judge is logged as a worker")
    pool = tuple(name for name in options.pool or dataset.workers if name != small)
    unused = Chow(0.0, 1) if len(pool) == 1 else None
    return replace(options, pool=pool, rule=unused, router=None)
