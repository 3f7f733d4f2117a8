"""The test of a judge on a page, and as a section of an evaluation's."""

from pathlib import Path

import orjson
import pytest

from streamer.decide.predictions import Predictions
from streamer.decide.votes import VoteRule
from streamer.errors import ConfigError
from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.files import write
from streamer.learn.judge_test.answers import AnswerFile
from streamer.learn.judge_test.asking import Asking
from streamer.learn.judge_test.beside import Cascade, alone, commonest
from streamer.learn.judge_test.examination import examine
from streamer.learn.judge_test.report import Report
from streamer.learn.judge_test.variant import OWN, Question, Variant
from tests.learn.evaluation.material import OPTIONS, three
from tests.learn.judge_test.judges import LABELS, TASK, Leaning, gold, judges, tickets

HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}"


async def _report(folder: Path) -> Report:
    letters, telling = Question(OWN, "letters"), tickets(90, 6)
    made = judges({letters: Leaning(letters, lean=2, hides=True)})
    kept = AnswerFile(folder / "answers.jsonl")

    async def started() -> None: ...

    asking = Asking(TASK, LABELS, made, kept, started)
    found = await examine(
        asking, [letters], Variant(letters), tickets(90, 5), telling, lambda _: lambda *_: None
    )
    truth = gold(telling)
    right, wrong = truth, (truth + 1) % 3
    votes = {"one": Predictions(right, None), "two": Predictions(right.copy(), None)}
    votes["two"].label_ids[:30] = wrong[:30]
    return Report(
        task=HOSTILE,
        judge="7",
        chosen_on=90,
        told_on=90,
        choice=found.choice,
        told=found.told,
        beside=found.beside,
        alone=(
            alone(HOSTILE, right, found.named, truth),
            alone("the commonest label", commonest(truth, 3), found.named, truth),
        ),
        cascade=Cascade.of(votes, VoteRule("unanimity", 2), found.named, truth),
        missing=(HOSTILE,),
    )


async def test_the_page_shows_all_and_hostile_names_stay_text(tmp_path: Path) -> None:
    report = await _report(tmp_path)
    text = report.write(tmp_path / "out").read_text()
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    assert report.told[0].variant in text
    assert report.cascade is not None
    assert report.cascade.coverage.value == pytest.approx(60 / 90)
    # On the tickets that the two agree on they are right, on the others the judge may be.
    assert report.cascade.accuracy.value >= 60 / 90
    told = orjson.loads((tmp_path / "out/judge.json").read_bytes())
    assert told["told"][0]["accuracy"]["value"] == report.told[0].accuracy.value
    assert told["choice"]["chosen"]["name"] == report.told[0].variant


async def test_an_evaluation_beside_it_has_it_as_a_section(tmp_path: Path) -> None:
    report = await _report(tmp_path)
    evaluation = evaluate(three(200), OPTIONS)
    assert "nothing was chosen by" not in write(evaluation, tmp_path / "out").read_text()
    report.write(tmp_path / "out")
    page = write(evaluation, tmp_path / "out").read_text()
    assert "On 90 tickets that nothing was chosen by" in page
    (tmp_path / "out/judge.json").write_text("{}")
    with pytest.raises(ConfigError, match="is no test of a judge"):
        write(evaluation, tmp_path / "out")
