"""How segments are told apart and served online, as `streamer segments fit` writes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from streamer.records.hashed import check_unchanged, hashed_json, version_of
from streamer.records.label import Rule
from streamer.records.reading import made

ROUTING_FILE = "routing.json"


@dataclass(frozen=True, slots=True)
class RouteRecord:
    """The workers that a segment is served by, in the order in which the rule knows them.

    `temperatures` are theirs, by name; who has none is believed as it is. Without workers it is
    the judge, and the rule's kind is `judge`.
    """

    workers: tuple[str, ...]
    rule: Rule
    temperatures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TaskRoutes:
    """A task's routes by the number of the segment; all others are served as configured.

    They were chosen with the workers' `versions`, for labels of the version `label_set`, to cost at
    most `budget` a ticket (1 is a verdict).
    """

    label_set: str
    versions: Mapping[str, str]
    budget: float
    ways: Mapping[str, RouteRecord]


@dataclass(frozen=True, slots=True)
class GateLimits:
    """How sure the classifier must be, how much of a ticket it must know, both from 0 to 1; and the
    SHA-256 of its file.
    """

    at_least: float
    least_known: float
    sha256: str


@dataclass(frozen=True, slots=True)
class Routing:
    """What classify needs to route: `segments` is the version of the segments, `numbers` theirs by
    segment id. Without a gate nothing can be told apart, and nothing is routed.
    """

    segments: str
    numbers: tuple[int, ...]
    gate: GateLimits | None
    tasks: Mapping[str, TaskRoutes]

    @property
    def version(self) -> str:
        """A hash of all that it says, 16 hex digits: segments, classifier and routes together."""
        return version_of(self)

    def to_json(self) -> bytes:
        return hashed_json(self)

    @classmethod
    def from_json(cls, value: bytes) -> "Routing":
        """Raises `ValueError`, `TypeError` or `KeyError` when the value is none, or was changed."""
        raw: dict[str, Any] = orjson.loads(value)
        routing = cls(
            raw["segments"],
            tuple(raw["numbers"]),
            None if raw["gate"] is None else made(GateLimits, raw["gate"]),
            {name: _routes(task_routes) for name, task_routes in raw["tasks"].items()},
        )
        check_unchanged(routing, raw["version"])
        return routing


def _routes(raw: Mapping[str, Any]) -> TaskRoutes:
    return made(
        TaskRoutes,
        {**raw, "ways": {number: _served(route) for number, route in raw["ways"].items()}},
    )


def _served(raw: Mapping[str, Any]) -> RouteRecord:
    return RouteRecord(tuple(raw["workers"]), made(Rule, raw["rule"]), raw["temperatures"])
