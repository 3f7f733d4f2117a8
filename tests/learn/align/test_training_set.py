"""What is learnt, what chooses and what tests: apart in time, and in their texts."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.backends.gate import Gate
from streamer.backends.gate import Named as Names
from streamer.errors import ConfigError
from streamer.learn.align.chances import Chances
from streamer.learn.align.judged_log import JudgedLog, Parts, judged_of, time_of
from streamer.learn.align.sample import as_read
from streamer.learn.align.training_set import TrainingSet
from streamer.learn.data.decisions import LoggedDecision
from streamer.learn.data.examples import Examples
from streamer.records.examples import EXAMPLES
from streamer.records.labelset import LabelSet
from streamer.records.log import BallotLog, VerdictLog

LABELS = LabelSet(("billing", "bug", "question"))
COUNT = 400
BALLOT = next(one for one in EXAMPLES["log"] if isinstance(one, BallotLog))
VERDICT = next(one for one in EXAMPLES["log"] if isinstance(one, VerdictLog))
CHANCES = Chances(audit=0.2, gold=0.1, log=0.5, verify=0.3)


def decision(number: int, **changed: object) -> LoggedDecision:
    """The ticket of that number: every second one is uniform, every third one accepted."""
    name = f"T-{number}"
    ballot = replace(
        BALLOT,
        decision_id=name,
        ticket_id=name,
        at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z",
        uniform=number % 2 == 0,
        label="billing" if number % 3 == 0 else None,
    )
    vectors = ((0.7, 0.2, 0.1), (0.1, 0.8, 0.1), (0.2, 0.2, 0.6))
    verdict = replace(
        VERDICT, decision_id=name, ticket_id=name, vector=vectors[number % 3], judge="7"
    )
    return LoggedDecision(ballot, replace(verdict, **changed))


DECISIONS = [decision(number) for number in range(COUNT)]
TEXTS = {f"T-{number}": f"text of {number}" for number in range(COUNT)}


def log_of(decisions=DECISIONS, texts=TEXTS) -> JudgedLog:
    return JudgedLog.of(decisions, "topic", LABELS, texts)


def test_the_last_uniform_tickets_test_and_nothing_from_then_on_is_learnt() -> None:
    parts = Parts.of(log_of(DECISIONS[::-1]))
    assert len(parts.test) == pytest.approx(0.3 * COUNT / 2, abs=1)
    assert len(parts.held_out) == pytest.approx(0.2 * 0.7 * COUNT / 2, abs=1)
    for some in (parts.test, parts.held_out):
        assert all(one.ballot.uniform for one in some)
    assert max(map(time_of, parts.train)) < parts.since == min(map(time_of, parts.test))
    assert max(map(time_of, parts.early)) < min(map(time_of, parts.held_out))
    assert any(not one.ballot.uniform for one in parts.early)
    # What is not uniform and lies beside the test serves for nothing.
    assert len(parts.train) + 2 * len(parts.test) == pytest.approx(COUNT, abs=1)


def test_only_the_newest_judge_of_this_task_and_labels_teaches() -> None:
    odd = [
        decision(3, judge="6"),
        decision(4, vector=None),
        decision(5, vector=(0.5, 0.5)),
        decision(6, label_set="other"),
        LoggedDecision(replace(BALLOT, task="other"), VERDICT),
        LoggedDecision(BALLOT, None),
        LoggedDecision(None, VERDICT),
    ]
    found = log_of([*odd, *DECISIONS[10:20]], {**TEXTS, "T-11": "x"})
    assert len(found.decisions) == 10
    assert len(found.notes) == 1
    assert "another judge" in found.notes[0]
    missing = log_of(DECISIONS[:4], {"T-1": "text"})
    assert [one.ballot.ticket_id for one in missing.decisions] == ["T-1"]
    assert missing.notes == ["3 judged tickets have no text in the file: left out"]


def test_weights_are_the_inverse_of_the_chances() -> None:
    found = judged_of(DECISIONS[:6], LABELS, TEXTS, CHANCES, None)
    uniform = 1 - 0.8 * 0.9
    deferred = uniform + (1 - uniform) * 0.5
    expected = [1 / (uniform if number % 3 == 0 else deferred) for number in range(6)]
    np.testing.assert_allclose(found.weights, expected, rtol=1e-6)
    assert found.label_ids.tolist() == [0, 1, 2, 0, 1, 2]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    assert found.normalised().weights.mean() == pytest.approx(1)


@pytest.mark.parametrize("seed", range(3))
def test_no_copy_of_a_text_is_on_two_sides(seed: int) -> None:
    """Half of the texts come many times, in any spelling."""
    rng = np.random.default_rng(seed)
    said = [f"Copy  {rng.integers(60)}" if rng.random() < 0.5 else text for text in TEXTS.values()]
    texts = {
        name: text.upper() if rng.random() < 0.5 else text
        for name, text in zip(TEXTS, said, strict=True)
    }
    parts = Parts.of(log_of(texts=texts))
    drawn = Examples(tuple(said[::-1]), tuple(rng.choice(LABELS.labels, COUNT)))
    training_set = TrainingSet.of(parts, LABELS, texts, CHANCES, examples=drawn)
    tested = {as_read(texts[one.ballot.ticket_id]) for one in parts.test}
    compared = {as_read(text) for text in training_set.held_out.texts}
    assert training_set.copies > 0
    assert len(training_set.train) + training_set.copies == len(parts.train)
    for part in (
        training_set.train,
        training_set.beside_train,
        training_set.held_out,
        training_set.early,
    ):
        assert not tested & {as_read(text) for text in part.texts}
    for part in (training_set.early, training_set.beside_early):
        assert len(part)
        assert not compared & {as_read(text) for text in part.texts}


def test_few_uniform_tickets_or_one_time_are_refused() -> None:
    for decisions in (DECISIONS[:60], DECISIONS[1::2], []):
        with pytest.raises(ConfigError, match="20 are needed to choose and 20 to test"):
            Parts.of(log_of(decisions))
    at_once = [replace_time(one) for one in DECISIONS]
    with pytest.raises(ConfigError, match="at 1 times"):
        Parts.of(log_of(at_once))


def replace_time(one: LoggedDecision) -> LoggedDecision:
    assert one.ballot is not None
    return LoggedDecision(replace(one.ballot, at="2026-01-01T00:00:00.000Z"), one.verdict)


def test_tickets_that_the_shares_exclude_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"audit\.share, review\.gold and log\.share"):
        judged_of(DECISIONS, LABELS, TEXTS, replace(CHANCES, audit=0, gold=0), None)


def test_segments_are_named_by_the_gate_for_tickets_and_examples() -> None:
    class Named(Gate):
        def names(self, texts):
            places = np.array([len(text) % 2 for text in texts])
            return Names(places, np.ones(len(places)), np.zeros(len(places), np.bool_))

    gate = Named(None, 0.5, 0.0)
    examples = Examples(("one", "four"), ("bug", "billing"))
    parts = Parts.of(log_of())
    training_set = TrainingSet.of(parts, LABELS, TEXTS, CHANCES, gate, examples)
    for part in (training_set.train, training_set.beside_train):
        assert part.segments.tolist() == [len(text) % 2 for text in part.texts]
    both = training_set.train.and_examples(training_set.beside_train)
    assert both.segments.tolist()[-2:] == [1, 0]
    assert both.weights[-2:].tolist() == [1, 1]
    np.testing.assert_array_equal(both.probabilities[-2:], [[0, 1, 0], [1, 0, 0]])
