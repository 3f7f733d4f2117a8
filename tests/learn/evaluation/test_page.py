"""The page as a browser and a hostile log see it."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from streamer.learn.evaluation.evaluation import evaluate
from streamer.learn.evaluation.files import write
from streamer.learn.evaluation.options import Prices
from streamer.learn.evaluation.page import page
from streamer.learn.evaluation.second_judge import Verdict
from tests.learn.evaluation.material import OPTIONS, labels_only, three

HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }} $\\frac{"


class Parsed(HTMLParser):
    """Every tag with its attributes, and the open ones to see that all are closed."""

    VOID = ("meta", "br", "link", "path", "use")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    latencies = Prices({"one": 0.01, "two": 0.02, "six": 0.04}, 0.1)
    found = evaluate(three(), replace(OPTIONS, latencies=latencies, small_judge="six"))
    return write(found, tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="module")
def parsed(folder: Path) -> Parsed:
    return Parsed((folder / "report.html").read_text(encoding="utf-8"))


def test_one_command_writes_page_numbers_and_plots(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "report.json", "deferral-0.png", "cost.png", "corrections.png"} <= names
    assert (folder / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_refers_to_nothing_outside(parsed: Parsed) -> None:
    for tag, attributes in parsed.tags:
        assert tag not in ("script", "link", "img", "iframe", "object")
        for name in ("src", "href", "xlink:href", "action"):
            assert (attributes.get(name) or "#").startswith("#")
        assert "url(http" not in (attributes.get("style") or "")


def test_every_id_stands_once_and_every_reference_is_met(parsed: Parsed, folder: Path) -> None:
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    text = (folder / "report.html").read_text(encoding="utf-8")
    wanted = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)
    assert {one or other for one, other in wanted} <= set(ids)


def test_plots_are_described_and_table_heads_have_a_scope(parsed: Parsed) -> None:
    assert not parsed.open
    plots = sum(tag == "svg" for tag, _ in parsed.tags)
    named = [a for _, a in parsed.tags if a.get("role") == "img"]
    assert len(named) == plots
    assert all(len(a["aria-label"] or "") > 40 for a in named)
    assert all(a.get("scope") in ("row", "col") for tag, a in parsed.tags if tag == "th")


def numbers(said: object) -> Iterator[float]:
    if isinstance(said, dict):
        said = list(said.values())
    if isinstance(said, list):
        for each in said:
            yield from numbers(each)
    elif isinstance(said, int | float):
        yield float(said)


def test_numbers_on_the_page_are_those_of_the_file(parsed: Parsed, folder: Path) -> None:
    said = json.loads((folder / "report.json").read_bytes())
    book = said["ledger"]
    known = {*numbers(said), *(count / book["tickets"] for count in numbers(book))}
    shown = [float(a["value"] or "") for tag, a in parsed.tags if tag == "data"]
    assert len(shown) > 200
    assert all(value in known for value in shown)
    for name in ("coverage", "fidelity", "accuracy", "kappa", "cost", "latency"):
        assert {said["overview"][name][end] for end in ("value", "low", "high")} <= set(shown)


def test_what_the_eye_sees_is_the_number_rounded(folder: Path) -> None:
    text = (folder / "report.html").read_text(encoding="utf-8")
    for exact, seen in re.findall(r'<data value="([^"]+)">([^<]+)</data>', text):
        assert math.isclose(float(exact), float(seen), abs_tol=0.0051)


def test_hostile_names_stay_text() -> None:
    log = three(200)
    log = replace(
        log,
        task=HOSTILE,
        labels=(HOSTILE, *log.labels[1:]),
        workers=(HOSTILE, *log.workers[1:]),
        slices={HOSTILE: tuple([HOSTILE, "other"] * 100)},
    )
    costs = Prices({HOSTILE: 0.1, "two": 0.1, "six": 0.1}, 1.0)
    text = page(evaluate(log, replace(OPTIONS, costs=costs, small_judge=HOSTILE)))
    assert "<script" not in text
    assert "{{ 7 * 7 }}" in text
    assert not Parsed(text).open


def test_a_page_of_labels_alone_says_what_is_not_there() -> None:
    text = page(evaluate(labels_only(three(200)), OPTIONS))
    assert text.count("labels only") == 2
    assert "The optimistic mode" not in text


def test_a_second_judge_is_worth_having_only_where_it_pays() -> None:
    found = evaluate(labels_only(three(200)), replace(OPTIONS, small_judge="six"))
    assert found.second_judge is not None
    answers = set()
    for verdict in get_args(Verdict):
        told = replace(found, second_judge=replace(found.second_judge, verdict=verdict))
        said = page(told).split("worth having as a second judge</h2>")[1].split("</p>")[0]
        assert ("<strong>Yes</strong>" in said) == (verdict == "pays")
        answers.add(said)
    assert len(answers) == len(get_args(Verdict))
    assert "second judge" not in page(replace(found, second_judge=None))


def test_the_same_evaluation_makes_the_same_page_twice() -> None:
    found = evaluate(three(200), OPTIONS)
    assert page(found) == page(found)
