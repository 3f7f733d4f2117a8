"""What `streamer train` writes, and what it leaves alone."""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson
import pytest

from streamer.commands.file_tickets import FileRecord
from streamer.config import Settings, load
from streamer.errors import ConfigError
from streamer.learn.artifacts.repository import write_model
from streamer.learn.judge.order import Teaching
from streamer.learn.train import train
from streamer.services.intake.ticket_reader import TicketReader
from tests.learn.material import made_up
from tests.learn.tiny_encoder import write_encoder

CONFIG = """
kafka: {{start: earliest}}
judge: {{python: python, kind: {kind}, model: mine, models: heads}}
tasks:
  topic:
    labels: [refund, login, shipping]
    workers: [{{model: words, kind: word_ngrams}}, {{model: chars, kind: char_ngrams}}]
    data: {{train: tickets.jsonl, label: topic}}
"""
MODEL = {"config.json": "{}", "model.safetensors": "weights of theirs"}
ONNX = {"config.pbtxt": 'platform: "onnxruntime_onnx"', "1/model.onnx": "weights of theirs"}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Settings]:
    """Settings with a judge of a kind. Its interpreter leaves `started` behind when it is run."""

    def write(kind: str) -> Settings:
        (tmp_path / "streamer.yaml").write_text(CONFIG.format(kind=kind))
        examples = made_up(120)
        rows = [
            orjson.dumps({"text": text, "topic": label})
            for text, label in zip(examples.texts, examples.labels, strict=True)
        ]
        (tmp_path / "tickets.jsonl").write_bytes(b"\n".join(rows))
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\n[ "$1" = -c ] || touch {tmp_path}/started\n')
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        return load(tmp_path / "streamer.yaml", {})

    return write


def brought(folder: Path, files: Mapping[str, str]) -> Callable[[], bool]:
    """Put the files there; what is returned tells whether all is as it was."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    before = contents(folder)
    return lambda: contents(folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("kind", ["llm", "sequence"])
def test_a_judge_that_was_brought_along_is_left_alone(
    kind: str, tmp_path: Path, written: Callable[[str], Settings], capsys
) -> None:
    settings = written(kind)
    same = [brought(tmp_path / "mine", MODEL), brought(tmp_path / "heads" / "topic", MODEL)]
    assert train.run(settings) == 0
    assert all(one() for one in same)
    assert not (tmp_path / "started").exists()
    assert (tmp_path / "models_repo" / "words" / "1" / "manifest.json").exists()
    assert "brought along" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["llm", "sequence"])
def test_to_train_a_judge_that_is_brought_along_is_a_mistake(
    kind: str, tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    with pytest.raises(ConfigError, match="--kind llm"):
        train.run(written(kind), what="judge")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("at", [".", "1", "7"])
@pytest.mark.parametrize("kind", ["llm", "classifier"])
def test_the_folder_of_a_judge_of_theirs_is_never_written_to(
    at: str, kind: train.JudgeKind, tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("sequence")
    folder = tmp_path / ("mine" if kind == "llm" else "heads/topic")
    same = brought(folder, {f"{at}/{name}": text for name, text in MODEL.items()})
    with pytest.raises(ConfigError, match="was not trained here"):
        train.run(settings, what="judge", kind=kind, teaching=_teaching(tmp_path))
    assert same()
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("base", "said"),
    [(None, "by --base"), ("nowhere", "--base: .*nowhere holds no model")],
)
def test_what_is_to_be_taught_is_looked_for_first(
    base: str | None, said: str, tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    teaching = None if base is None else Teaching(str(tmp_path / base))
    with pytest.raises(ConfigError, match=said):
        train.run(written("llm"), what="judge", kind="llm", teaching=teaching)
    assert not (tmp_path / "started").exists()


def test_a_judge_that_would_not_know_a_task_is_not_taught(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("llm")
    config = tmp_path / "streamer.yaml"
    config.write_text(
        f"{config.read_text()}  mood: {{labels: [calm, angry], workers: [some, moods]}}\n"
    )
    with pytest.raises(ConfigError, match="would not know mood"):
        train.run(load(config, {}), what="judge", kind="llm", teaching=_teaching(tmp_path))
    assert not (settings.path(settings.judge.model)).exists()


def _teaching(folder: Path) -> Teaching:
    """On a base with all that is looked for before anything is read."""
    base = folder / "base"
    brought(base, MODEL | {"config.json": '{"max_position_embeddings": 64}'})
    return Teaching(str(base))


def test_a_worker_of_theirs_is_never_written_to(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("classifier")
    same = brought(tmp_path / "models_repo" / "chars", ONNX)
    with pytest.raises(ConfigError, match=r"chars holds .*was not trained here.*`kind`"):
        train.run(settings, what="workers")
    assert same()
    assert not (tmp_path / "models_repo" / "words").exists()


def test_a_worker_of_theirs_without_a_version_is_theirs_too(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("classifier")
    same = brought(tmp_path / "models_repo" / "chars", {"config.pbtxt": 'backend: "python"\n'})
    with pytest.raises(ConfigError, match=r"chars holds config\.pbtxt, which was not trained here"):
        train.run(settings, what="workers")
    assert same()


def test_what_triton_is_told_of_our_kind_is_no_model_of_theirs(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("classifier")
    write_model(tmp_path / "models_repo", "chars", "char_ngrams", ["a", "b"], version=None)
    assert train.run(settings, what="workers") == 0
    assert (tmp_path / "models_repo" / "chars" / "labels.txt").read_text().startswith("refund\n")


def test_a_version_that_was_put_beside_ours_is_theirs(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("classifier")
    assert train.run(settings, what="workers") == 0
    same = brought(tmp_path / "models_repo" / "words", {"2/model.npz": "weights of theirs"})
    with pytest.raises(ConfigError, match="words holds 2"):
        train.run(settings, what="workers", seed=2)
    assert same()


def test_all_that_can_be_known_first_is_said_first_and_at_once(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("classifier")
    (tmp_path / "python").unlink()
    (tmp_path / "tickets.jsonl").unlink()
    (tmp_path / "heads").write_text("in the way of a folder")
    brought(tmp_path / "models_repo" / "chars", ONNX)
    with pytest.raises(ConfigError) as caught:
        train.run(settings)
    lines = str(caught.value).splitlines()
    wanted = ["tickets.jsonl", "judge.python", "heads", "chars holds"]
    assert all(word in line for word, line in zip(wanted, lines, strict=True)), lines


@pytest.mark.parametrize("script", ["exit 1", "echo no module named tokenizers >&2; exit 1"])
def test_an_interpreter_without_the_judges_packages_is_said_before_reading(
    script: str, tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = written("classifier")
    (tmp_path / "python").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "tickets.jsonl").write_text("no JSON, which would be said if it were read")
    with pytest.raises(ConfigError, match=r"judge\.python: .* lacks what a judge needs"):
        train.run(settings)


def test_what_is_learnt_is_what_will_be_read(
    tmp_path: Path, written: Callable[[str], Settings], capsys
) -> None:
    settings = written("classifier")
    file = tmp_path / "tickets.jsonl"
    rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    nested = [
        {"ticket": {"title": "T", "messages": [{"body": row["text"]}, {"body": "on"}]},
         "right": {"topic": row["topic"]}}
        for row in rows
    ]  # fmt: skip
    nested.append({"ticket": {"messages": []}, "right": {"topic": "login"}})
    file.write_bytes(b"\n".join(map(orjson.dumps, nested)))
    config = tmp_path / "streamer.yaml"
    config.write_text(
        config.read_text().replace("label: topic", "label: /right/topic")
        + "input: {text: [/ticket/title, /ticket/messages/body]}\n"
    )
    settings = load(config, {})
    found = train.examples_of(settings, settings.tasks["topic"])
    assert "1 rows with a label and no text" in capsys.readouterr().err
    intake = TicketReader.of(settings.input)
    served = [
        intake.ticket(FileRecord(orjson.dumps({"id": "1", **row}))).text for row in nested[:-1]
    ]
    assert list(found.texts) == served
    assert served[0] == f"T\n{rows[0]['text']}\non"
    assert list(found.labels) == [row["topic"] for row in rows]


def on_an_encoder(settings: Settings, folder: Path) -> Settings:
    """The same with the second worker on the encoder in `folder`, by its name."""
    file = settings.path(Path("streamer.yaml"))
    kind = f"kind: encoder, encoder: {folder.name}"
    file.write_text(file.read_text().replace("kind: char_ngrams", kind))
    return load(file)


def test_an_encoder_of_theirs_is_part_of_the_version(
    tmp_path: Path, written: Callable[[str], Settings], capsys
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    write_encoder(folder)
    same = contents(folder)
    assert train.run(on_an_encoder(written("classifier"), folder), what="workers") == 0
    assert contents(folder) == same
    version = tmp_path / "models_repo" / "chars" / "1"
    assert {"encoder.onnx", "tokenizer.json", "model.npz"} <= set(contents(version))
    assert "words + chars" in capsys.readouterr().out


def test_an_encoder_that_is_not_there_is_told_before_anything_is_trained(
    tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings = on_an_encoder(written("classifier"), tmp_path / "mine")
    with pytest.raises(ConfigError, match=r"worker chars: .*mine holds no sentence encoder"):
        train.run(settings, what="workers")
    assert not (tmp_path / "models_repo").exists()
