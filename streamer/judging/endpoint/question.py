"""One thing that an endpoint is asked, and how its answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A request and what is made of the JSON that comes back.

    `read` raises anything of what code raises that is given something odd, where it is no answer.
    """

    url: str
    body: Mapping[str, Any]
    read: Callable[[Any], T]
    headers: Mapping[str, str] = field(default_factory=dict)
