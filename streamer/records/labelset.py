"""The closed, ordered label set of a task."""

from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class LabelSet:
    """Ordered labels; `version` is a hash of them, `index` gives a label's place.

    The order is part of the contract: every probability vector, of workers and judge alike,
    is read by it, so two sets with the same labels in another order are different versions.
    """

    labels: tuple[str, ...]
    version: str = field(init=False)
    index: dict[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        digest = blake2b("\0".join(self.labels).encode(), digest_size=6).hexdigest()
        object.__setattr__(self, "version", digest)
        object.__setattr__(self, "index", {name: i for i, name in enumerate(self.labels)})

    def __len__(self) -> int:
        return len(self.labels)
