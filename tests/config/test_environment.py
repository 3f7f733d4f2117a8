import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from streamer.cli import main
from streamer.config import Settings, load
from streamer.config.environment import Environment
from streamer.config.tasks import Task
from streamer.errors import ConfigError
from streamer.services.runtime import process

SECRET = "hunter2-from-a-Secret"


def keys(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        place = (*at, field.alias or name)
        yield place
        for block in blocks(field.annotation):
            yield from keys(block, (*place, "intent") if block is Task else place)


def blocks(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in blocks(part)]


KEYS = sorted(set(keys(Settings)))


def document(place: tuple[str, ...], value: Any) -> str:
    raw: dict[str, Any] = {
        "kafka": {"start": "earliest"},
        "tasks": {"intent": {"labels": ["a", "b"], "workers": ["x", "y"]}},
    }
    block = raw
    *outer, last = place
    for name in outer:
        if not isinstance(block.get(name), dict):
            block[name] = {}
        block = block[name]
    block[last] = value
    return yaml.safe_dump(raw)


def said(capsys: pytest.CaptureFixture[str], config: Path, *more: str) -> str:
    main(["check", "--config", str(config), *more])
    answer = capsys.readouterr()
    return answer.out + answer.err


def refusal(config: Path) -> str:
    try:
        load(config)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("place", KEYS, ids=".".join)
def test_no_value_from_the_environment_is_said_whatever_is_wrong(
    place: tuple[str, ...], tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    config = tmp_path / "streamer.yaml"
    *outer, last = place
    misspelt = (*outer, last[:-1] + "zz")
    for where in (place, misspelt, (*place, "deeper")):
        for value in ("${SECRET}", "x${SECRET}y", ["${SECRET}", "${SECRET}"], {"k": "${SECRET}"}):
            config.write_text(document(where, value))
            answer = refusal(config) or said(capsys, config) + said(capsys, config, "--json")
            assert SECRET not in answer, (where, value)


@pytest.mark.parametrize(
    "secret",
    [
        'it\'s "both"',
        "two\nlines",
        "a//path/../of",
        "tab\tand \\",
        "ünï-¢ode",
        "one:1,two:2",
    ],
)
def test_however_a_value_is_written_it_is_not_said(
    secret: str, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    monkeypatch.setenv("SECRET", secret)
    config = tmp_path / "streamer.yaml"
    forms = {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], str(Path(secret))}
    for place in random.Random(seed).sample(KEYS, 12):
        config.write_text(document(place, "${SECRET}"))
        answer = said(capsys, config)
        assert not [form for form in forms if form in answer], (place, answer)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("input", "id"), "${SECRET}"),
        (("input", "text"), ["/text", "${SECRET}"]),
        (("tasks", "intent", "when"), {"field": "${SECRET}", "equals": ["a"]}),
        (("tasks", "intent", "labels"), ["a", "${SECRET}"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("secret", ["hunter2.from.a.Secret", "hunter2" * 30, "$hunter2 Secret"])
def test_neither_what_was_made_of_a_value_nor_its_beginning_is_said(
    place: tuple[str, ...], value: Any, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", secret)
    config = tmp_path / "streamer.yaml"
    config.write_text(document(place, value))
    assert "hunter2" not in refusal(config)


def test_a_token_that_is_too_short_and_a_password_of_the_file_itself_are_not_said(
    tmp_path: Path, capsys
) -> None:
    config = tmp_path / "streamer.yaml"
    for place in (("monitor", "token"), ("kafka", "security", "pasword"), ("kafka", "password")):
        config.write_text(document(place, "s3cret"))
        answer = said(capsys, config)
        assert ".".join(place) in answer
        assert "s3cret" not in answer
    config.write_text("kafka: {security: {password: s3cret, [}}\n")
    assert "s3cret" not in said(capsys, config)


def test_what_was_written_is_quoted_in_place_of_the_value(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "lz5")
    config = tmp_path / "streamer.yaml"
    config.write_text(document(("kafka", "compression"), "${MODE}"))
    assert "kafka.compression: '${MODE}' is not allowed" in said(capsys, config)


def test_settings_say_nothing_of_their_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    config = tmp_path / "streamer.yaml"
    config.write_text(document(("kafka", "bootstrap"), "${SECRET}"))
    settings = load(config)
    assert settings.kafka.bootstrap == SECRET
    assert SECRET not in repr(settings) + str(settings) + repr(settings.kafka)


def test_a_running_service_logs_no_such_value(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    config = tmp_path / "streamer.yaml"
    config.write_text(document(("kafka", "bootstrap"), "${SECRET}"))

    async def configured(stop: Any) -> None:
        raise ConfigError(f"no Kafka answers at {SECRET}: start it")

    async def unforeseen(stop: Any) -> None:
        raise RuntimeError(f"what is {SECRET}?")

    for handler in list(process.logging.getLogger().handlers):
        monkeypatch.setattr(handler, "formatter", handler.formatter)
    monkeypatch.setattr(process.logging.getLogger(), "handlers", [])
    assert process.run(configured, config) == 2
    monkeypatch.setattr(process.logging.getLogger(), "handlers", [])
    assert process.run(unforeseen, config) == 1
    logged = capsys.readouterr().err
    assert "no Kafka answers at ${SECRET}" in logged
    assert "what is ${SECRET}?" in logged
    assert SECRET not in logged


def test_words_of_our_own_and_short_values_spoil_no_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUP", "streamer")
    monkeypatch.setenv("SHARE", "1")
    file = tmp_path / "any"
    file.write_text("${GROUP} ${SHARE} ${UNSET}")
    environment = Environment.of(file)
    assert environment.hide("run `streamer train` 10 times") == "run `streamer train` 10 times"
    assert environment.hide("'1' of 'streamer'") == "'${SHARE}' of '${GROUP}'"
    assert Environment.of(tmp_path / "none").hide("as it is") == "as it is"
