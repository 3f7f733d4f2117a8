"""The input, after the user's own record shape was mapped to ours."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


# Not frozen, though nobody changes one: to make a frozen one takes three times as long, and one is
# made for every record.
@dataclass(slots=True)
class Ticket:
    """One support ticket.

    `created_at` is the ticket's own time, or the record's Kafka timestamp where it has none
    (RFC 3339, UTC). `fields` is the user's record as it came, for `when` and for the judge.
    """

    id: str
    text: str
    created_at: str
    subject: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
