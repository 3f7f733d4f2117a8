"""The report of a version: figures, trend, and a page that a hostile ticket can't change."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest

from streamer.decide.predictions import Predictions
from streamer.errors import ConfigError
from streamer.learn.data.dataset import Dataset
from streamer.learn.segments.finding import FoundSegments, find
from streamer.learn.segments.folder import latest, write
from streamer.learn.segments.page import page
from streamer.learn.segments.report import Report, report, served
from streamer.learn.segments.sample import SegmentSample
from streamer.records.segments_folder import read_segments
from tests.learn.evaluation.test_page import HOSTILE, Parsed
from tests.learn.segments.material import EACH, TOPICS, tickets

MATERIAL, POINTS, TRUTH = tickets()
LABELS = ("a", "b", "c")
WORKERS = ("one", "two", "three")
START = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def planted(right: dict[str, tuple[float, ...]]) -> Dataset:
    """Workers that agree with the judge as often as told in every topic."""
    rng = np.random.default_rng(4)
    judge = rng.integers(3, size=len(MATERIAL))
    worker_predictions = []
    for name in WORKERS:
        hits = rng.random(len(judge)) < np.array(right[name])[TRUTH]
        worker_predictions.append(Predictions(np.where(hits, judge, (judge + 1) % 3), None))
    gold = np.full(len(judge), -1)
    return Dataset(
        "topic",
        LABELS,
        WORKERS,
        tuple(worker_predictions),
        Predictions(judge, None),
        gold,
        MATERIAL.ids,
    )


CASES = planted({"one": (0.95,) * 3 + (0.3,), "two": (0.9,) * 3 + (0.3,), "three": (0.3,) * 4})


def found() -> FoundSegments:
    return find(MATERIAL, POINTS, "encoder", seed=1, size=len(TOPICS))


def moments(step: timedelta = timedelta(minutes=1)) -> list[str]:
    return [(START + step * at).isoformat() for at in range(len(MATERIAL))]


def said(material: SegmentSample = MATERIAL, **more: bool) -> Report:
    return report(found(), material, moments(), [CASES], **more)


def of_topic(made: Report, topic: int) -> int:
    """The place in the report of the segment that has the tickets of a topic."""
    number = found().segmentation.segments[int(found().segment_ids[topic == TRUTH][0])].number
    return next(at for at, one in enumerate(made.segments) if one.number == number)


def test_agreement_is_counted_per_segment_and_everywhere() -> None:
    made = said()
    for topic in range(len(TOPICS)):
        (task,) = made.segments[of_topic(made, topic)].served
        mine = np.flatnonzero(topic == TRUTH)
        assert task.tickets == EACH
        for place, worker in enumerate(task.workers):
            by_hand = (CASES.worker_predictions[place].label_ids == CASES.judge.label_ids)[
                mine
            ].mean()
            assert worker.agreement.value == pytest.approx(by_hand)
            assert worker.agreement.low < by_hand < worker.agreement.high
        pair = next(one for one in task.sets if one.workers == "one + two")
        one, two = (CASES.worker_predictions[at].label_ids[mine] for at in (0, 1))
        assert pair.coverage.value == pytest.approx((one == two).mean())
    (whole,) = made.everywhere
    assert whole.tickets == len(MATERIAL)
    assert len(whole.sets) == 5


def test_the_judge_is_needed_where_no_worker_agrees_with_it() -> None:
    made = said()
    needed = [made.segments[of_topic(made, at)].served[0].needs_judge for at in range(len(TOPICS))]
    assert needed == [False, False, False, True]


def test_a_segment_without_judged_tickets_needs_nothing_and_has_no_best_set() -> None:
    nobody = replace(CASES, judge=Predictions(np.full(len(CASES), -1), None))
    task = served(nobody, np.ones(len(CASES), np.bool_))
    assert (task.tickets, task.best, task.needs_judge) == (0, None, False)


def test_abstentions_count_for_no_worker() -> None:
    label_ids = CASES.worker_predictions[0].label_ids.copy()
    label_ids[::2] = -1
    some = replace(
        CASES, worker_predictions=(Predictions(label_ids, None), *CASES.worker_predictions[1:])
    )
    task = served(some, np.ones(len(CASES), np.bool_))
    assert task.workers[0].agreement.of == len(CASES) // 2


def test_the_trend_shows_that_topics_came_one_after_another() -> None:
    made = said()
    first, last = (made.segments[of_topic(made, at)] for at in (0, 3))
    assert first.first_half.value > 0.4
    assert first.second_half.value < 0.1
    assert last.trend[0].value < 0.1
    assert last.trend[-1].value > 0.9
    assert sum(one.share.value for one in made.segments) == pytest.approx(1)


def test_tickets_of_one_moment_are_one_window() -> None:
    made = report(found(), MATERIAL, moments(timedelta()), [CASES])
    assert [one.of for one in made.segments[0].trend] == [len(MATERIAL)] + [0] * 11
    Parsed(page(made))


def test_hostile_tickets_words_and_names_stay_text() -> None:
    hostile = replace(MATERIAL, texts=tuple(HOSTILE + text for text in MATERIAL.texts))
    made = said(hostile)
    one = replace(made.segments[0], name=HOSTILE, words=(HOSTILE,))
    shown = page(replace(made, segments=(one, *made.segments[1:]), gone=(HOSTILE,)))
    parsed = Parsed(shown)
    assert parsed.open == []
    assert not [tag for tag, _ in parsed.tags if tag in ("script", "img", "iframe")]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "http" not in shown


def test_text_is_in_the_page_only_and_can_be_left_out(tmp_path: Path) -> None:
    made = said()
    shown = {one.text for segment in made.segments for one in segment.examples}
    assert shown <= set(MATERIAL.texts)
    target = write(tmp_path / "segments", found().segmentation, made)
    raw = orjson.loads((target / "report.json").read_bytes())
    assert all(one["text"] is None for part in raw["segments"] for one in part["examples"])
    without = said(text=False)
    assert all(one.text is None for part in without.segments for one in part.examples)
    assert "blockquote>" not in page(without)
    assert "blockquote>" in (target / "report.html").read_text()


def test_versions_are_numbered_and_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "segments"
    assert latest(folder) is None
    one, other = (write(folder, found().segmentation, said()) for _ in range(2))
    assert (one.name, other.name) == ("1", "2")
    assert latest(folder) == read_segments(one) == found().segmentation
    assert {path.name for path in one.iterdir()} == {
        "segments.json", "routing.json", "report.json", "report.html"
    }  # fmt: skip


def test_a_damaged_version_says_what_to_do(tmp_path: Path) -> None:
    target = write(tmp_path / "segments", found().segmentation, said())
    (target / "segments.json").write_bytes(b"{}")
    with pytest.raises(ConfigError, match="restore it"):
        latest(tmp_path / "segments")
