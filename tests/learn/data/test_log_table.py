"""From the log to cases: who counts, what replaces what, and what is missing."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from streamer.errors import ConfigError
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.decisions import logged_decisions
from streamer.learn.data.gold import read_gold
from streamer.learn.data.log_table import LogTable
from streamer.records.examples import EXAMPLES
from streamer.records.labelset import LabelSet
from streamer.records.log import AnswerLog, BallotLog, Log, VerdictLog, log_json
from streamer.records.log_file import SCHEMA, LogWriter, read_log
from tests.learn import planted
from tests.learn.served import AT, Serving

COUNT = 200


@pytest.fixture
def cases() -> Dataset:
    return planted.well_behaved(np.random.default_rng(1), COUNT)


def table(logs: list[Log], cases: Dataset) -> LogTable:
    return LogTable.of(logged_decisions(logs), "planted", LabelSet(cases.labels), cases.workers)


def verdicts(logs: list[Log]) -> list[VerdictLog]:
    return [log for log in logs if isinstance(log, VerdictLog)]


def ballots(logs: list[Log]) -> list[BallotLog]:
    return [log for log in logs if isinstance(log, BallotLog)]


async def test_the_cases_are_those_that_were_served(cases: Dataset) -> None:
    found = table(await Serving().log(cases), cases)
    order = [cases.ids.index(ticket_id) for ticket_id in found.dataset.ids]
    assert sorted(order) == list(range(COUNT))
    for mine, known in zip(found.dataset.worker_predictions, cases.worker_predictions, strict=True):
        assert mine.label_ids.tolist() == known.label_ids[order].tolist()
        assert mine.probabilities is not None
        assert known.probabilities is not None
        assert np.abs(mine.probabilities - known.probabilities[order]).max() <= 1e-5
    assert found.dataset.judge.label_ids.tolist() == cases.judge.label_ids[order].tolist()
    assert found.dataset.versions == {"one": "1", "two": "1", "three": "1", "judge": "7"}
    assert (found.dataset.gold == -1).all()
    assert found.period == (AT, AT)
    assert found.notes == []


async def test_only_the_uniform_stratum_counts(cases: Dataset) -> None:
    logs = await Serving(audit=0.05).log(cases)
    found = table(logs, cases)
    assert len(found.dataset) == 50
    assert found.left_out == {"not of the uniform stratum": 150}


async def test_a_later_repeat_replaces_an_earlier_one(cases: Dataset) -> None:
    logs = await Serving().log(cases)
    first = ballots(logs)[0]
    silent = replace(first.ballot.votes[0], label=None, probability=None, abstained="unusable")
    votes = (silent, *first.ballot.votes[1:])
    again = replace(
        first, ballot=replace(first.ballot, votes=votes, vectors=(None, *first.ballot.vectors[1:]))
    )
    said = verdicts(logs)[0]
    other = replace(said, vector=tuple(reversed(said.vector or ())))
    lost = replace(said, vector=None, missing="too_late", judge=None)
    found = table([*logs, again, other, lost], cases).dataset
    assert len(found) == COUNT
    assert found.worker_predictions[0].label_ids[found.ids.index(first.ticket_id)] == -1
    place = found.ids.index(said.ticket_id)
    assert found.judge.label_ids[place] == int(np.argmax(other.vector or ()))


async def test_missing_verdicts_are_counted_and_said(cases: Dataset) -> None:
    logs = await Serving().log(cases)
    one, two, *rest = verdicts(logs)
    given_up = replace(one, vector=None, judge=None, missing="too_late")
    found = table([*ballots(logs), given_up, *rest], cases)
    assert (found.unjudged, found.given_up) == (2, 1)
    assert found.notes == [
        f"2 of {COUNT} tickets have no verdict, 1 of them because the judge had no time"
    ]
    assert found.dataset.judge.label_ids[found.dataset.ids.index(two.ticket_id)] == -1


async def test_only_the_gold_sample_is_the_truth_and_the_last_answer_counts(cases: Dataset) -> None:
    logs = await Serving().log(cases)
    about = ballots(logs)[:3]

    def answer(log: BallotLog, label: str, gold: bool) -> AnswerLog:
        known = (log.decision_id, log.ticket_id, log.task, log.label_set, AT)
        return AnswerLog(*known, label, "me", gold)

    answers = [
        answer(about[0], "label 1", gold=True),
        answer(about[0], "label 2", gold=True),
        answer(about[1], "label 3", gold=False),
        replace(answer(about[2], "label 4", gold=True), label_set="of before"),
    ]
    found = table([*logs, *answers], cases).dataset
    told = {found.ids[place]: found.gold[place] for place in np.flatnonzero(found.gold >= 0)}
    assert told == {about[0].ticket_id: 2}


async def test_tickets_of_older_models_and_other_label_sets_are_left_out(cases: Dataset) -> None:
    logs = await Serving().log(cases)
    first, second, *others = ballots(logs)
    newer = tuple(replace(vote, version="2") for vote in first.ballot.votes)
    update = replace(
        first, ballot=replace(first.ballot, votes=newer), at="2026-02-01T00:00:00.000Z"
    )
    old = replace(second, label_set="of before")
    found = table([update, old, *others, *verdicts(logs)], cases)
    assert found.dataset.ids == (first.ticket_id,)
    assert found.left_out == {"of another label set": 1, "of older models": COUNT - 2}
    assert found.dataset.versions["one"] == "2"


async def test_workers_that_give_labels_only_stay_so(cases: Dataset) -> None:
    logs = [
        replace(log, ballot=replace(log.ballot, vectors=(None,) * 3))
        if isinstance(log, BallotLog)
        else log
        for log in await Serving().log(cases)
    ]
    found = table(logs, cases).dataset
    assert all(predictions.probabilities is None for predictions in found.worker_predictions)
    order = [cases.ids.index(ticket_id) for ticket_id in found.ids]
    assert (
        found.worker_predictions[1].label_ids.tolist()
        == cases.worker_predictions[1].label_ids[order].tolist()
    )


async def test_a_file_gives_back_every_record_as_it_was(cases: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    logs = await Serving().log(cases)
    about = ballots(logs)[0]
    logs.append(AnswerLog(about.decision_id, "t", "planted", "x", AT, "label 0", "me", gold=True))
    with LogWriter(path) as file:
        for log in logs:
            file.add(log_json(log))
        with pytest.raises((ValueError, KeyError)):
            file.add(b'{"kind": "surprise"}')
    assert list(read_log(path)) == logs
    assert os.listdir(tmp_path) == ["log.parquet"]


def test_every_field_has_a_column() -> None:
    fields = {
        name for kind in (BallotLog, VerdictLog, AnswerLog) for name in kind.__dataclass_fields__
    }
    assert set(SCHEMA.names) == fields


def test_half_a_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    with pytest.raises(RuntimeError), LogWriter(path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and nothing", b"kind,task\n"])
def test_what_is_no_log_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="log export") as error:
        list(read_log(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["gold.csv", "gold.jsonl"])
def test_true_labels_come_from_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(
        "id,label\n7,b\n8,\n9,a\n9,b\n"
        if name.endswith("csv")
        else '{"id": 7, "label": "b"}\n{"id": "8", "label": null}\n{"id": "9", "label": "b"}\n'
    )
    assert read_gold(path, LabelSet(("a", "b"))) == {"7": 1, "9": 1}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("7,c", "line 2 has the label 'c', which the task has not: correct"),
        ("7,B", "line 2 has the label 'B', which the task has not; did you mean b\\? correct"),
        (None, "columns"),
    ],
)
def test_a_wrong_true_label_is_one_line(tmp_path: Path, row: str | None, said: str) -> None:
    path = tmp_path / "gold.csv"
    path.write_text(f"id,label\n{row}\n" if row else "id,truth\n7,a\n")
    with pytest.raises(ConfigError, match=said):
        read_gold(path, LabelSet(("a", "b")))


def test_a_file_of_before_a_field_was_added_is_read_with_its_default(tmp_path: Path) -> None:
    path, older = tmp_path / "log.parquet", tmp_path / "older.parquet"
    verdict = next(one for one in EXAMPLES["log"] if isinstance(one, VerdictLog))
    with LogWriter(path) as log:
        log.add(log_json(verdict))
    whole = pq.read_table(path)
    kept = [name for name in whole.column_names if name not in ("coverage", "truncated")]
    pq.write_table(whole.select(kept), older)
    assert list(read_log(older)) == [replace(verdict, coverage=None, truncated=False)]
