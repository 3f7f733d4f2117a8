"""`streamer align` on a log that the services wrote of workers that were trained here."""

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from streamer.backends.experts import Experts, load_either
from streamer.cli import main
from streamer.commands.align import AlignOptions, _drawn_by_shares, align
from streamer.config import load
from streamer.decide.predictions import Predictions
from streamer.decide.sampling import drawn
from streamer.learn.artifacts.manifest import Manifest
from streamer.learn.artifacts.repository import latest_version
from streamer.learn.data.dataset import UNKNOWN, Dataset
from streamer.learn.data.decisions import LoggedDecision
from streamer.learn.data.examples import Examples
from streamer.learn.train.training import Job, train_workers
from streamer.records.examples import EXAMPLES
from streamer.records.log import BallotLog, log_json
from streamer.records.log_file import LogWriter
from streamer.records.segments import FitRecipe, Segment, Segmentation
from tests.backends.loaders import LOADERS
from tests.learn.align.planted import LABELS, Stream, two_topics
from tests.learn.served import Serving
from tests.routed import gate_of, write_routing

KINDS = {"topic_word": "word_ngrams", "topic_char": "char_ngrams", "topic_net": "subword_net"}
COUNT = 900
STREAM = two_topics(np.random.default_rng(20), COUNT)
COPY = (10, COUNT - 5)
HOSTILE = "\x1b[31m<script>alert(1)</script>"


def examples_of(stream: Stream) -> Examples:
    return Examples(stream.texts, tuple(LABELS.labels[code] for code in stream.label_ids))


def cases_of(models: Path, texts: Sequence[str]) -> Dataset:
    """What version 1 of the workers says of the stream's texts, and the judge."""
    worker_predictions = []
    for name in KINDS:
        said = LOADERS[KINDS[name]](models / name / "1").probabilities(texts)
        worker_predictions.append(Predictions.of(said))
    judge = STREAM.judged().probabilities
    assert judge is not None
    return Dataset(
        task="topic",
        labels=LABELS.labels,
        workers=tuple(KINDS),
        worker_predictions=tuple(worker_predictions),
        judge=Predictions.of(judge),
        gold=np.full(COUNT, UNKNOWN),
        ids=tuple(f"T-{number}" for number in range(COUNT)),
        versions={**dict.fromkeys(KINDS, "1"), "judge": "7"},
    )


def at(number: int) -> str:
    return f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"


def write_log(file: Path, cases: Dataset) -> None:
    logs = asyncio.run(Serving().log(cases))
    moments = {name: at(number) for number, name in enumerate(cases.ids)}
    with LogWriter(file) as log:
        for one in logs:
            log.add(log_json(replace(one, at=moments[one.ticket_id])))


def write_segments(folder: Path) -> None:
    folder.mkdir(parents=True)
    parts = tuple(
        Segment(number, name, (), COUNT, 1.0, (0.0,))
        for number, name in enumerate(("boards", HOSTILE), 1)
    )
    recipe = FitRecipe(1, None, COUNT, "tickets", "encoder", "code", None)
    (folder / "segments.json").write_bytes(Segmentation(recipe, parts, 3).to_json())
    write_routing(folder, gate_of(STREAM.texts, STREAM.topics), (1, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Workers that learnt little, a log of what they and the judge said, and the tickets."""
    where = tmp_path_factory.mktemp("helpdesk")
    few = examples_of(two_topics(np.random.default_rng(21), 90))
    jobs = [Job("topic", name, kind, LABELS, few) for name, kind in KINDS.items()]
    train_workers(jobs, where / "models_repo", seed=1, progress=lambda *_: None, processes=1)
    texts = list(STREAM.texts)
    texts[COPY[1]] = texts[COPY[0]].upper()
    write_log(where / "log.parquet", cases_of(where / "models_repo", texts))
    write_segments(where / "segments" / "1")
    for name, columns, rows in (
        ("tickets.csv", ("id", "text"), enumerate(texts)),
        ("examples.csv", ("label", "text"), zip(few.labels, few.texts, strict=True)),
    ):
        with (where / name).open("w", newline="") as file:
            written = csv.writer(file)
            written.writerow(columns)
            for first, text in rows:
                written.writerow([f"T-{first}" if columns[0] == "id" else first, text])
    task = {
        "labels": list(LABELS.labels),
        "workers": [{"model": name, "kind": kind} for name, kind in KINDS.items()],
        "data": {"train": "examples.csv", "label": "label"},
    }
    body = {"kafka": {"start": "earliest"}, "audit": {"share": 1.0}, "tasks": {"topic": task}}
    (where / "streamer.yaml").write_text(yaml.safe_dump(body))
    return where


def run(folder: Path, *more: str) -> int:
    log, tickets = (str(folder / name) for name in ("log.parquet", "tickets.csv"))
    config = ["--config", str(folder / "streamer.yaml")]
    return main(["align", log, "--tickets", tickets, *config, *more])


def versions(folder: Path) -> list[int]:
    return [latest_version(folder / "models_repo", name) for name in KINDS]


def test_a_dry_run_tells_and_writes_nothing(folder: Path, capsys) -> None:
    before = versions(folder)
    assert run(folder, "--dry-run", "--no-examples") == 0
    said = capsys.readouterr().out
    assert "nothing was written" in said
    assert "as they were: topic_net" in said
    assert "pooled, kl" in said
    assert "experts" not in said
    assert versions(folder) == before


def test_versions_are_written_that_agree_with_the_judge_more(folder: Path, capsys) -> None:
    settings = load(folder / "streamer.yaml")
    segments, page = folder / "segments" / "1", folder / "align.html"
    before = versions(folder)
    files = [folder / name for name in ("log.parquet", "tickets.csv")]
    made = align(settings, *files, AlignOptions(segments=segments))
    assert made.versions == {"topic_word": before[0] + 1, "topic_char": before[1] + 1}
    assert versions(folder)[2] == before[2]
    (report,) = made.reports
    assert report.kept == ("topic_net",)
    assert report.tickets == pytest.approx(0.3 * COUNT, abs=1)
    assert report.weighting.copies == 1
    assert report.weighting.examples == 90
    assert report.weighting.judged + report.tickets + 1 == COUNT
    by_worker = {one.worker: one for one in report.workers if one.segment is None}
    for name in ("topic_word", "topic_char"):
        assert by_worker[name].agreement.difference.low > 0.1
        assert by_worker[name].distance.difference.high < 0
    assert by_worker["topic_net"].agreement.difference.value == 0
    assert {one.best.shape for one in report.trials} == {"experts"}
    assert report.vote is not None
    assert report.vote.verdict.startswith("the vote got better")
    assert report.vote.judge_rate.difference.high < 0

    version = folder / "models_repo" / "topic_word" / str(made.versions["topic_word"])
    manifest = Manifest.read(version)
    assert manifest is not None
    alignment = manifest.recipe.alignment
    assert alignment is not None
    assert alignment.judge == "7"
    assert alignment.until == report.since
    assert alignment.segments is not None
    assert "expert-0.others" in manifest.settings
    assert "num_versions: 2" in (version.parent / "config.pbtxt").read_text()
    model = load_either(version, LOADERS["word_ngrams"])
    assert isinstance(model, Experts)
    capsys.readouterr()

    assert run(folder, "--segments", str(segments), "--out", str(page), "--dry-run") == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out
    assert "<script>" not in page.read_text()
    assert "alert(1)" in page.read_text()
    assert "got better" in page.read_text()


def test_the_same_log_and_seed_give_the_same_model(folder: Path) -> None:
    settings = load(folder / "streamer.yaml")
    files = [folder / name for name in ("log.parquet", "tickets.csv")]
    found = [align(settings, *files, AlignOptions(keep="topic_char")).versions for _ in range(2)]
    for name in ("topic_word", "topic_net"):
        written = [folder / "models_repo" / name / str(each[name]) for each in found]
        assert Manifest.read(written[0]).recipe == Manifest.read(written[1]).recipe
        one, other = ((each / "model.npz").read_bytes() for each in written)
        assert one == other


def test_who_stays_as_it_is_can_be_chosen(folder: Path, capsys) -> None:
    assert run(folder, "--keep", "none", "--dry-run", "--json") == 0
    shown = capsys.readouterr()
    (report,) = json.loads(shown.out)["reports"]
    assert report["kept"] == []
    assert [one["worker"] for one in report["trials"]] == list(KINDS)
    assert report["vote"]["verdict"]
    assert run(folder, "--keep", "nobody") == 2
    assert "use one of topic_word, topic_char, topic_net, or none" in capsys.readouterr().err


def test_who_votes_in_no_fixed_version_is_told(folder: Path, capsys) -> None:
    assert run(folder) == 0
    assert "topic_word has no `version`" in capsys.readouterr().err


def test_a_log_that_is_too_short_is_refused(folder: Path, tmp_path: Path, capsys) -> None:
    write_log(
        tmp_path / "log.parquet", cases_of(folder / "models_repo", STREAM.texts)[np.arange(50)]
    )
    log, tickets = tmp_path / "log.parquet", folder / "tickets.csv"
    words = ["align", str(log), "--tickets", str(tickets)]
    assert main([*words, "--config", str(folder / "streamer.yaml")]) == 2
    assert "50 judged tickets of the uniform stratum" in capsys.readouterr().err


def test_shares_that_can_not_have_made_the_log_are_refused(folder: Path, capsys) -> None:
    assert run(folder, "--set", "audit.share=0") == 2
    assert "set them as they were" in capsys.readouterr().err


def test_segments_without_a_classifier_are_refused(folder: Path, tmp_path: Path, capsys) -> None:
    write_routing(tmp_path, None, (1, 2))
    assert run(folder, "--segments", str(tmp_path)) == 2
    assert "has no classifier" in capsys.readouterr().err


def test_a_trial_begins_with_aligned_versions(folder: Path, capsys) -> None:
    config = folder / "learning.yaml"
    config.write_text((folder / "streamer.yaml").read_text() + "\nlearned: learned.json\n")
    before = versions(folder)
    log, tickets = (str(folder / name) for name in ("log.parquet", "tickets.csv"))
    assert main(["learn", "start", log, "--tickets", tickets, "--config", str(config)]) == 0
    assert versions(folder) == [before[0] + 1, before[1] + 1, before[2]]
    workers = load(config).tasks["topic"].workers
    # Tickets of the log met version 1, whatever lies in the repository since.
    assert [one.version for one in workers] == ["1", "1", "1"]
    tried = [one.shadow.version if one.shadow else None for one in workers]
    assert tried == [str(before[0] + 1), str(before[1] + 1), None]
    (entry,) = json.loads((folder / "learned.json").read_bytes())["entries"]
    for name, number in zip(list(KINDS)[:2], versions(folder), strict=False):
        manifest = Manifest.read(folder / "models_repo" / name / str(number))
        assert manifest is not None
        assert entry["models"][name] == {"version": str(number), "digest": manifest.recipe.digest}
    assert entry["seed"] == 1


def test_what_a_trial_alone_had_logged_is_not_weighted_as_if_the_shares_had(folder: Path) -> None:
    settings = load(folder / "streamer.yaml", {"audit.share": "0.1", "log.share": "0.2"})
    (example,) = (one for one in EXAMPLES["log"] if isinstance(one, BallotLog))
    ids = [f"T-{number}" for number in range(2000)]
    by_share = drawn(ids, settings.audit.salt, "log", 0.2)
    by_trial = drawn(ids, settings.audit.salt, "shadow", 0.3)
    ballots = [
        replace(example, ticket_id=name, decision_id=name, uniform=False)
        for name, there in zip(ids, by_share | by_trial, strict=True)
        if there
    ]
    kept = _drawn_by_shares(settings, [LoggedDecision(one) for one in ballots])
    assert {one.ballot.ticket_id for one in kept if one.ballot} == {
        name for name, there in zip(ids, by_share, strict=True) if there
    }
    audited = [LoggedDecision(replace(one, uniform=True)) for one in ballots]
    assert len(_drawn_by_shares(settings, audited)) == len(ballots)
