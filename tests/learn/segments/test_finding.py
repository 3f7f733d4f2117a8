"""Segments of tickets whose topics are planted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from streamer.errors import ConfigError
from streamer.learn.segments.clustering import cluster
from streamer.learn.segments.finding import FoundSegments, find
from streamer.learn.segments.matching import matched
from streamer.learn.segments.nearest import Nearest
from streamer.learn.segments.sample import SegmentSample
from streamer.learn.segments.words import typical_words
from streamer.records.segments import Segmentation
from tests.learn.segments.material import TOPICS, tickets

MATERIAL, POINTS, TRUTH = tickets()


def found(seed: int = 1, **more: Any) -> FoundSegments:
    return find(MATERIAL, POINTS, "encoder", seed=seed, **more)


def names(said: FoundSegments) -> list[str]:
    return [segment.name for segment in said.segmentation.segments]


def test_planted_topics_are_found_and_their_number_too() -> None:
    said = found()
    assert len(said.segmentation.segments) == len(TOPICS)
    assert adjusted_rand_score(TRUTH, said.segment_ids) >= 0.9
    chosen = next(one for one in said.tried if one.size == len(TOPICS))
    assert chosen.silhouette == max(one.silhouette for one in said.tried)
    assert chosen.stability > 0.7


def test_noise_has_no_stable_segments() -> None:
    noise = np.random.default_rng(3).normal(size=POINTS.shape).astype(np.float32)
    said = cluster(noise, seed=1)
    assert max(one.silhouette for one in said.tried) < 0.15
    assert min(one.stability for one in said.tried) < 0.5


def test_the_same_seed_gives_the_same_version_and_bytes() -> None:
    one, other = found().segmentation, found().segmentation
    assert one.to_json() == other.to_json()
    assert Segmentation.from_json(one.to_json()) == one
    assert found(seed=2).segmentation.version != one.version


def test_what_was_changed_after_it_was_made_is_refused() -> None:
    raw = found().segmentation.to_json()
    with pytest.raises(ValueError, match="changed after"):
        Segmentation.from_json(raw.replace(b'"number": 1,', b'"number": 9,'))


def test_segments_are_named_by_their_own_words() -> None:
    for segment in found().segmentation.segments:
        (topic,) = [words for words in TOPICS if segment.words[0] in words]
        assert set(segment.words[:4]) == set(topic)
        assert segment.name == " ".join(segment.words[:3])


def test_what_few_wrote_names_nothing() -> None:
    texts = ["secretname refund"] * 4 + ["refund money"] * 10 + ["login locked"] * 10
    places = np.array([0] * 14 + [1] * 10)
    assert typical_words(texts, places, 2) == [("refund", "money"), ("locked", "login")]


def test_99_of_100_tickets_are_not_far() -> None:
    said = found()
    parts = said.segmentation.segments
    nearest = Nearest.of(POINTS, np.array([one.centroid for one in parts], np.float32))
    assert (nearest.segment_ids == said.segment_ids).all()
    out = nearest.within(np.array([one.far for one in parts])) < 0
    assert 0 < out.mean() <= 0.03
    assert sum(one.size for one in parts) == len(MATERIAL)


def test_names_and_numbers_persist_when_tickets_and_centres_change() -> None:
    first = found()
    material, points, _ = tickets(seed=6)
    order = np.random.default_rng(2).permutation(len(material))
    shuffled = replace(material, ids=pick(material.ids, order), texts=pick(material.texts, order))
    second = find(shuffled, points[order] + 0.1, "encoder", seed=9, previous=first.segmentation)
    before = {one.number: one for one in first.segmentation.segments}
    for segment in second.segmentation.segments:
        assert segment.name == before[segment.number].name
        assert set(segment.words[:4]) == set(before[segment.number].words[:4])
    assert second.gone == ()
    assert second.segmentation.recipe.previous == first.segmentation.version


def test_a_new_topic_gets_a_new_number_and_a_gone_one_is_named() -> None:
    first = found(size=4)
    moved = POINTS + np.where(TRUTH[:, None] == 0, np.float32(6), np.float32(0))
    second = find(MATERIAL, moved, "encoder", seed=1, size=4, previous=first.segmentation)
    was = first.segmentation.segments[int(first.segment_ids[0])]
    now = second.segmentation.segments[int(second.segment_ids[0])]
    assert second.gone == (was.name,)
    assert now.number == 5
    assert now.name == f"{was.name} 5"
    assert second.segmentation.next_number == 6
    third = find(MATERIAL, POINTS, "encoder", seed=1, size=4, previous=second.segmentation)
    assert third.segmentation.segments[int(third.segment_ids[0])].number == 6


def test_matching_is_of_all_pairs_together_and_not_of_the_nearest_first() -> None:
    parts = found(size=4).segmentation.segments
    old = [
        replace(parts[0], number=1, centroid=(0.0,)),
        replace(parts[0], number=2, centroid=(10.0,)),
    ]
    same = matched(np.array([[11.0], [4.0]], np.float32), old)
    assert {place: one.number for place, one in same.items()} == {0: 2, 1: 1}
    assert matched(np.array([[30.0]], np.float32), old) == {}


def test_a_segment_that_was_alone_is_held_to_its_far_limit() -> None:
    alone = replace(found(size=1).segmentation.segments[0], centroid=(0.0,), far=2.0)
    assert matched(np.array([[1.9]], np.float32), [alone]) == {0: alone}
    assert matched(np.array([[2.1]], np.float32), [alone]) == {}


def test_another_encoder_is_another_space() -> None:
    with pytest.raises(ConfigError, match="another encoder"):
        find(MATERIAL, POINTS, "other", seed=1, previous=found().segmentation)


def test_too_few_tickets_are_refused_and_one_segment_is_possible() -> None:
    few = SegmentSample.of({"T-1": "2026-01-01T00:00:00Z"}, {"T-1": "hello"}, 10)
    with pytest.raises(ConfigError, match="too few"):
        find(few, POINTS[:1], "encoder", seed=1)
    with pytest.raises(ConfigError, match="too few"):
        find(MATERIAL, POINTS, "encoder", seed=1, size=1000)
    alone = found(size=1)
    assert names(alone) == ["segment 1"]
    assert set(alone.segment_ids.tolist()) == {0}


def test_odd_tickets_are_counted_and_kept() -> None:
    odd = {"a": "\U0001f600\U0001f621", "b": "x" * 200_000, "c": "half \ud83d pair", "d": "plain"}
    times = dict.fromkeys((*odd, "absent"), "2026-01-01T00:00:00Z")
    said = SegmentSample.of(times, odd, 10)
    assert (len(said), said.absent, said.wordless, said.giant) == (4, 1, 1, 1)
    assert len(said.notes) == 3
    assert len(said.sha256) == 64
    assert typical_words(said.texts, np.zeros(4, np.int64), 1) == [()]


def test_a_sample_is_drawn_by_hash_and_lies_in_order_of_time() -> None:
    texts = dict(zip(MATERIAL.ids, MATERIAL.texts, strict=True))
    times = {name: f"2026-01-01T00:{at % 60:02}:00Z" for at, name in enumerate(MATERIAL.ids)}
    some = SegmentSample.of(times, texts, 50)
    again = SegmentSample.of(dict(reversed(times.items())), texts, 50)
    assert some == again
    assert [times[name] for name in some.ids] == sorted(times[name] for name in some.ids)


def pick(values: tuple[str, ...], order: np.ndarray) -> tuple[str, ...]:
    return tuple(values[at] for at in order)
