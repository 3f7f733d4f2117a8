"""What a calibration chose for a task, on which data, and what it promises."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any, Literal

import orjson

from streamer.records.label import After, Rule

Measure = Literal["judge rate", "fidelity", "accuracy"]


@dataclass(frozen=True, slots=True)
class Model:
    """A worker or the judge as it was met: the temperature holds for this version alone."""

    version: str | None
    temperature: float


@dataclass(frozen=True, slots=True)
class Data:
    """The tickets that were learnt from: `gold` of the `rows` have a known truth.

    `first` and `last` are RFC 3339 times, where known.
    """

    hash: str
    rows: int
    gold: int
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class RouterWeights:
    """A learned estimate of the log-odds that the judge would differ.

    `pool` [W] are the exponents of the workers' distributions in their product; `signals` [F] and
    `labels` [K] are added to the `intercept` per unit of a signal and for the candidate's label.
    """

    pool: tuple[float, ...]
    intercept: float
    signals: tuple[float, ...]
    labels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: at most a judge rate, or at least a fidelity or accuracy.

    `confidence` is that of the promise; None for a judge rate, which is an aim and no promise.
    """

    measure: Measure
    value: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of `rows` tickets with its 95 % Wilson interval; no value of none."""

    value: float | None
    low: float
    high: float
    rows: int


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What was tested for the setting: `hits` of `rows`, with the exact lower `bound`.

    Where it `holds`, the measure is at least the wished value, unless a chance of 1 - `confidence`
    struck. `labels` are those for which the same is promised on their own, each with the rows it
    rests on; for those in `pooled` there were too few, and only the whole is promised.
    """

    holds: bool
    method: str
    measure: Measure
    at_least: float
    confidence: float
    hits: int
    rows: int
    bound: float
    labels: Mapping[str, int]
    pooled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lead:
    """By how much the share of right labels is larger than another's, with its interval of 95 %.

    `tickets` is how many it would take to show that it is above 0, None where it is not.
    """

    value: float
    low: float
    high: float
    tickets: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenAfter:
    """The rule after the judge that was chosen, and what was tested for it.

    Of `rows` tickets with a known truth its label alone was right on `gained`, and the judge's own
    alone on `lost`: its lead is at least `bound`, unless a chance of 1 - `confidence` struck. Where
    that `holds`, some rule loses less than `margin`; else the judge's own label stands, and the
    numbers are those of the first rule that failed. `lead` is what the choice is worth, by
    cross-fitting.
    """

    rule: After
    method: str
    margin: float
    confidence: float
    holds: bool
    rows: int
    gained: int
    lost: int
    bound: float
    lead: Lead | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What the tickets that were learnt from looked like, to notice when others come.

    `labels` are shares among the labels that the setting publishes, `agreement` the shares of
    tickets on which two workers say the same, by `<one>/<other>`.
    """

    labels: Mapping[str, float]
    agreement: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The setting of one task, as the services read it.

    `rule` has kind `judge` where no setting keeps the wish: then all go to the judge. `router`
    belongs to a rule of kind `router`. `judge_rate`, `fidelity` and `accuracy` are what to expect.
    `after` is None where the rule after the judge was not chosen with it. Files of before there was
    a `reference` or an `after` have none, and keep their version.
    """

    task: str
    label_set: str
    made_at: str
    data: Data
    models: Mapping[str, Model]
    judge: Model
    rule: Rule
    router: RouterWeights | None
    wish: Wish
    guarantee: Guarantee | None
    judge_rate: Estimate
    fidelity: Estimate
    accuracy: Estimate
    reference: Reference | None = None
    after: ProvenAfter | None = None

    @property
    def version(self) -> str:
        """A hash of the content, 12 hex digits."""
        return blake2b(self.to_json(), digest_size=6).hexdigest()

    def to_json(self) -> bytes:
        raw = {field.name: getattr(self, field.name) for field in fields(self)}
        for later in ("reference", "after"):
            if raw[later] is None:
                del raw[later]
        return orjson.dumps(raw)

    @classmethod
    def from_json(cls, value: bytes) -> "Calibration":
        """Raises `ValueError`, `TypeError` or `KeyError` when the value is no calibration."""
        raw = orjson.loads(value)
        router, guarantee = raw["router"], raw["guarantee"]
        reference = raw.get("reference")
        nested = {
            "data": Data(**raw["data"]),
            "models": {name: Model(**model) for name, model in raw["models"].items()},
            "judge": Model(**raw["judge"]),
            "rule": Rule(**raw["rule"]),
            "router": None if router is None else RouterWeights(**_tuples(router)),
            "wish": Wish(**raw["wish"]),
            "guarantee": None if guarantee is None else Guarantee(**_tuples(guarantee)),
            "judge_rate": Estimate(**raw["judge_rate"]),
            "fidelity": Estimate(**raw["fidelity"]),
            "accuracy": Estimate(**raw["accuracy"]),
            "reference": None if reference is None else Reference(**reference),
            "after": _after(raw.get("after")),
        }
        return cls(**(raw | nested))


def _after(raw: dict[str, Any] | None) -> ProvenAfter | None:
    if raw is None:
        return None
    lead = None if raw["lead"] is None else Lead(**raw["lead"])
    return ProvenAfter(**(raw | {"rule": After(**raw["rule"]), "lead": lead}))


def _tuples(raw: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in raw.items()}
