"""A judge tested: chosen on some tickets, told of on others."""

from pathlib import Path

import numpy as np
import pytest

from streamer.learn.judge_test.answers import AnswerFile
from streamer.learn.judge_test.asking import Asking
from streamer.learn.judge_test.examination import Examination, all_questions, examine
from streamer.learn.judge_test.variant import OWN, Question, Variant
from tests.learn.judge_test.judges import LABELS, TASK, Leaning, gold, judges, tickets

LETTERS, NAMES = Question(OWN, "letters"), Question(OWN, "names")
CHOOSING, TELLING = tickets(150, 5), tickets(120, 6)


async def _nothing() -> None: ...


async def _tested(
    made: dict[Question, Leaning], folder: Path, configured: Variant | None = None
) -> Examination:
    questions = [one for one in made if one.shift == 0]
    asking = Asking(TASK, LABELS, made, AnswerFile(folder / "answers.jsonl"), _nothing)
    return await examine(
        asking,
        questions,
        configured or Variant(LETTERS),
        CHOOSING,
        TELLING,
        lambda what: lambda done, total: None,
    )


async def test_a_judge_that_likes_a_place_is_found_out_and_the_other_codes_are_chosen(
    tmp_path: Path,
) -> None:
    made = judges({LETTERS: Leaning(LETTERS, lean=3, hides=True), NAMES: Leaning(NAMES)})
    found = await _tested(made, tmp_path)
    assert found.choice.chosen.variant == Variant(NAMES)
    names, letters = found.told[0], next(one for one in found.told if one.variant == "letters")
    assert names.bias is not None
    assert letters.bias is not None
    assert names.bias.value == 0
    assert letters.bias.value > 0.5
    assert (letters.bias.orders, letters.bias.tickets) == (3, 100)
    assert names.accuracy.value == 1
    assert names.accuracy.of == 120
    said = made[LETTERS].asked
    assert set(TELLING.texts) <= set(said)


async def test_the_liking_for_a_place_cancels_out_over_all_orders(tmp_path: Path) -> None:
    found = await _tested(judges({LETTERS: Leaning(LETTERS, lean=1.5)}), tmp_path)
    tried = {str(one.variant): one for one in found.choice.tried}
    assert tried["letters, 3 orders"].accuracy.value == 1
    assert tried["letters"].accuracy.value < 0.9
    # An empty ticket tells of the place too, and costs nothing.
    assert tried["letters, contextual"].accuracy.value == 1
    assert str(found.choice.chosen.variant) == "letters, contextual"
    assert found.told[0].bias is not None
    assert found.told[0].bias.value == 0


async def test_what_was_answered_is_not_asked_again_and_half_a_line_is_dropped(
    tmp_path: Path,
) -> None:
    first = judges({LETTERS: Leaning(LETTERS, lean=1)})
    before = await _tested(first, tmp_path)
    file = tmp_path / "answers.jsonl"
    whole = file.read_bytes()
    assert TELLING.texts[0].encode() not in whole
    # As a run that was killed leaves it.
    lines = whole.splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-3]) + lines[-3][:20])
    again = judges({LETTERS: Leaning(LETTERS, lean=1)})
    after = await _tested(again, tmp_path)
    assert sum(len(one.asked) for one in again.values()) == 3
    assert [one.accuracy for one in after.told] == [one.accuracy for one in before.told]
    complete = judges({LETTERS: Leaning(LETTERS, lean=1)})
    await _tested(complete, tmp_path)
    assert not any(one.asked for one in complete.values())


async def test_a_prompt_is_held_against_another_on_the_same_tickets(tmp_path: Path) -> None:
    other = Question("b.yaml", "letters")
    made = judges(
        {LETTERS: Leaning(LETTERS, by_label=(2, 0, 0), hides=True), other: Leaning(other)}
    )
    found = await _tested(made, tmp_path)
    assert found.choice.chosen.variant.question == other
    beside = {one.variant: one.test for one in found.beside}
    test = beside["letters"]
    wrong = round((1 - _accuracy(found, "letters")) * 120)
    assert wrong > 5
    assert (test.gained, test.lost) == (wrong, 0)
    assert test.chance == pytest.approx(2 * 0.5**wrong)


async def test_what_is_far_behind_is_not_asked_in_other_orders_nor_with_examples(
    tmp_path: Path,
) -> None:
    nearest = Question(OWN, "letters", 0, 4)
    good = Question(OWN, "names", 0, 4)
    made = judges(
        {
            LETTERS: Leaning(LETTERS, by_label=(9, 0, 0), hides=True),
            nearest: Leaning(nearest),
            NAMES: Leaning(NAMES),
            good: Leaning(good),
        }
    )
    await _tested(made, tmp_path, Variant(NAMES))
    asked = {question for question, one in made.items() if one.asked}
    assert nearest not in asked
    assert Question(OWN, "letters", 1) not in asked
    assert {good, Question(OWN, "names", 1)} <= asked


async def test_what_is_told_is_of_tickets_that_nothing_was_chosen_by(tmp_path: Path) -> None:
    found = await _tested(judges({LETTERS: Leaning(LETTERS, lean=1)}), tmp_path)
    assert len(found.named) == len(TELLING)
    counts = np.array(found.told[0].confusion.counts)
    assert counts.sum() == len(TELLING)
    assert (counts.sum(axis=1) == np.bincount(gold(TELLING))).all()


async def test_a_judge_that_is_no_language_model_is_asked_once(tmp_path: Path) -> None:
    question = Question()
    made = {question: Leaning(question)}
    found = await _tested(made, tmp_path, Variant())
    assert [one.variant for one in found.told] == ["the judge"]
    assert found.told[0].bias is None
    assert sorted(made[question].asked) == sorted([*CHOOSING.texts, *TELLING.texts])


def test_judges_are_made_for_every_question_that_may_come() -> None:
    questions = all_questions([LETTERS, NAMES], Variant(Question(OWN, "names", 0, 4)), 3)
    assert len(questions) == 9
    assert questions[0].examples == 0


def _accuracy(found: Examination, variant: str) -> float:
    return next(one.accuracy.value for one in found.told if one.variant == variant)
