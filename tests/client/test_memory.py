from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from streamer.client import LabelRecord, LabelTable
from streamer.client.memory import Memory
from streamer.records.label import Label
from tests.client.making import at, deletion, record

NAMES = ("billing", "refund")


def placed(label: Label, partition: int) -> Label:
    place = replace(label.position, partition=partition)
    # A decision is named after the place of its ticket.
    return replace(label, position=place, decision_id=f"{partition}@{place.offset}")


# A record is a ticket or a deletion: labels have even offsets here, deletions odd ones.
LOGS = st.lists(
    st.builds(
        lambda key, label, partition: replace(
            record(placed(label, partition)), key=key, partition=partition
        ),
        st.sampled_from(["a/topic", "b/topic"]),
        st.builds(at, st.sampled_from([2, 4, 6]), st.integers(0, 2), st.sampled_from(NAMES)),
        st.integers(0, 2),
    )
    | st.builds(
        lambda key, offset: replace(deletion(offset), key=key),
        st.sampled_from(["a/topic", "b/topic"]),
        st.sampled_from([1, 3, 5]),
    ),
    max_size=12,
)


@given(LOGS)
def test_who_keeps_what_is_news_has_the_state(log: list[LabelRecord]) -> None:
    memory, table = Memory(10), LabelTable()
    kept: dict[str, LabelRecord] = {}
    for one in log:
        table.apply(one)
        if not memory.news(one):
            continue
        if one.label is not None:
            kept[one.key] = one
        else:
            kept.pop(one.key, None)
    assert {key: one.label for key, one in kept.items()} == dict(table)


@given(LOGS)
def test_the_same_log_again_is_no_news_unless_labels_differ_at_one_place(
    log: list[LabelRecord],
) -> None:
    memory = Memory(10)
    # Of two partitions, the same offset would be one place to the rank, and two to the decision.
    same = [
        replace(one, label=one.label and placed(replace(one.label, label="billing"), 0))
        for one in log
    ]
    for one in same:
        memory.news(one)
    assert not any(memory.news(one) for one in same)


def test_a_repeat_that_says_something_else_is_news() -> None:
    memory = Memory(10)
    told = [memory.news(record(at(5, label=name))) for name in ("billing", "billing", "refund")]
    assert told == [True, False, True]


def test_another_ticket_at_the_place_of_the_first_is_news() -> None:
    memory = Memory(10)
    later = replace(at(5), created_at="2026-02-01T08:00:00.000Z")
    told = [memory.news(record(label)) for label in (at(5), at(5), later, later)]
    assert told == [True, False, True, False]


def test_a_deletion_that_does_not_say_how_far_it_reaches_is_news_each_time() -> None:
    memory = Memory(10)
    told = [memory.news(one) for one in (record(at(6)), record(None, None), record(at(5)))]
    assert told == [True, True, True]
    assert memory.news(record(None, None))


def test_only_the_newest_keys_are_known() -> None:
    memory = Memory(3)
    ones = [replace(record(at(5)), key=f"{number}/topic") for number in range(5)]
    assert all(memory.news(one) for one in ones)
    assert len(memory) == 3
    assert [memory.news(one) for one in reversed(ones)] == [False, False, False, True, True]


def test_what_was_heard_of_last_is_forgotten_last() -> None:
    memory = Memory(2)
    one, two, three = (replace(record(at(5)), key=f"{key}/topic") for key in "abc")
    later = replace(record(at(6)), key="a/topic")
    assert [memory.news(each) for each in (one, two, later, three)] == [True] * 4
    assert not memory.news(later)
    assert memory.news(two)


def test_a_deletion_is_told_once_and_a_repeat_of_it_or_of_what_it_reached_is_not() -> None:
    memory = Memory(10)
    log = [record(at(5)), deletion(6), deletion(6), record(at(5, 1)), record(at(7)), deletion(6)]
    assert [memory.news(one) for one in log] == [True, True, False, False, True, False]


def test_a_deletion_at_the_very_start_reaches_nothing() -> None:
    memory = Memory(10)
    assert [memory.news(one) for one in (deletion(0), record(at(0)))] == [True, True]
