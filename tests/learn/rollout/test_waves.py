"""What is said of a wave of tickets, counted once more by hand."""

import numpy as np

from streamer.learn.data.decisions import logged_decisions
from streamer.learn.rollout.waves import Wave, page
from streamer.records.labelset import LabelSet
from tests.learn import planted
from tests.learn.served import Serving


async def test_the_shares_of_a_wave_are_those_of_its_labels() -> None:
    cases = planted.shifted(np.random.default_rng(4), 400)
    gold = {name: cases.labels[code] for name, code in zip(cases.ids, cases.gold, strict=True)}
    judge = {
        name: cases.labels[c] for name, c in zip(cases.ids, cases.judge.label_ids, strict=True)
    }
    decisions = logged_decisions(await Serving().log(cases))
    wave = Wave.of("first", decisions, LabelSet(cases.labels), gold)
    ballots = [one.ballot for one in decisions if one.ballot is not None]
    published = {one.ticket_id: one.label or judge[one.ticket_id] for one in ballots}
    assert wave.tickets == len(cases)
    assert wave.asked.value == np.mean([one.label is None for one in ballots])
    assert 0 < wave.asked.value < 1
    assert wave.agreed.value == np.mean([published[name] == judge[name] for name in published])
    assert wave.right.value == np.mean([published[name] == gold[name] for name in published])
    assert wave.routed.value == 0
    assert set(wave.versions) == set(cases.workers)


async def test_what_comes_from_outside_is_escaped_on_the_page() -> None:
    cases = planted.shifted(np.random.default_rng(5), 50)
    gold = dict.fromkeys(cases.ids, cases.labels[0])
    decisions = logged_decisions(await Serving().log(cases))
    wave = Wave.of("<script>", decisions, LabelSet(cases.labels), gold)
    said = page([wave], {"<b>": "segments/1/report.html"}, "<i>")
    assert "<script>" not in said
    assert "&lt;script&gt;" in said
    assert "<b>" not in said
    assert "<i>" not in said
