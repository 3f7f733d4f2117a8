"""Whose labels a backfill does not touch."""

import pytest

from streamer.services.backfill import people
from tests.services.table.histories import label


@pytest.mark.parametrize(
    ("value", "holder"),
    [
        (label(1, 2).to_json(), "person"),
        (label(1, 2, released=True).to_json(), None),
        (label(1, name="person").to_json(), "workers"),
        (b'{"source":"person"}', None),
        (None, None),
    ],
)
def test_only_a_label_that_a_person_still_holds_counts(
    value: bytes | None, holder: str | None
) -> None:
    assert people._holder(value) == holder
