import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.config import load
from streamer.errors import ConfigError
from tests.config.written import changed, complaint, loaded, minimal


def test_the_least_that_is_needed(path: Path) -> None:
    settings = loaded(path, minimal())
    assert settings.kafka.start == "earliest"
    assert [worker.model for worker in settings.tasks["intent"].workers] == ["intent_x", "intent_y"]
    assert settings.path(settings.state) == path.parent / ".streamer"
    assert settings.path(Path("/elsewhere")) == Path("/elsewhere")


def test_the_judge_s_interpreter_lies_with_the_file_or_beside_our_environment(
    path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path_factory.mktemp("installed")
    monkeypatch.setattr(sys, "prefix", str(installed / ".venv"))
    own, beside = (folder / ".venv-judge/bin/python" for folder in (path.parent, installed))
    assert loaded(path, minimal()).judge_python == own
    beside.parent.mkdir(parents=True)
    beside.touch()
    assert loaded(path, minimal()).judge_python == beside
    named = changed("judge.python", ".venv-judge/bin/python")
    assert loaded(path, named).judge_python == own
    own.parent.mkdir(parents=True)
    own.touch()
    assert loaded(path, minimal()).judge_python == own


@pytest.mark.parametrize(
    ("dotted", "value", "line"),
    [
        ("kafka", {}, "kafka.start: is missing; docs/configuration.md says what it may be"),
        (
            "kafka.start",
            "tomorrow",
            "kafka.start: 'tomorrow' is not allowed: "
            "use earliest, latest or a time such as 2026-01-31T08:00:00Z",
        ),
        ("kafak", 1, "kafak: unknown key; did you mean kafka?"),
        ("kafka.grup", "x", "kafka.grup: unknown key; did you mean group?"),
        (
            "kafka.session_timeout",
            1,
            "kafka.session_timeout: 1 is not allowed: Input should be greater than or equal to 6",
        ),
        (
            "kafka.security",
            {"protocol": "SASL_SSL"},
            "kafka.security: protocol SASL_SSL needs mechanism, username and password",
        ),
        (
            "kafka.security",
            {"protocol": "SSL", "cert_file": "a.pem"},
            "kafka.security: cert_file and key_file go together",
        ),
        ("topics.labels", "tickets", "topics: each topic needs a name of its own"),
        (
            "tasks.intent.on_outage",
            "panic",
            "tasks.intent.on_outage: 'panic' is not allowed: "
            "Input should be 'wait', 'judge' or 'fallback'",
        ),
        (
            "tasks.intent.labels",
            ["a", "a"],
            "tasks.intent.labels: ['a', 'a'] is not allowed: labels twice in the list: a",
        ),
        (
            "tasks.intent.workers",
            ["x"],
            "tasks.intent: rule majority needs two or three workers, there is one: add workers, or "
            "use kind chow with an alpha",
        ),
        (
            "tasks.intent.rule",
            {"kind": "chow"},
            "tasks.intent.rule: alpha and kind chow go together",
        ),
        (
            "tasks.intent.rule",
            {"kind": "majority", "worker": "intent_x"},
            "tasks.intent.rule: only kind chow can decide by one worker: leave worker out",
        ),
        (
            "tasks.intent.rule",
            {"kind": "chow", "alpha": 0.1, "worker": "intent_z"},
            "tasks.intent: rule.worker 'intent_z' is none of its workers: use one of intent_x, "
            "intent_y",
        ),
        (
            "tasks.intent.after",
            {"kind": "v3", "alpha": -0.5},
            "tasks.intent.after: kind v3 takes an alpha from 0 to 1, not -0.5",
        ),
        (
            "tasks.intent.after",
            {"kind": "diff", "alpha": 1.5},
            "tasks.intent.after: kind diff takes an alpha from -1 to 1, not 1.5",
        ),
        (
            "tasks.intent.after",
            {"kind": "pool_linear", "alpha": 1.5},
            "tasks.intent.after: kind pool_linear takes an alpha from 0 to 1, not 1.5",
        ),
        (
            "tasks.intent.after",
            {"kind": "calibrated", "alpha": 0.5},
            "tasks.intent.after: kind calibrated takes its alpha from the calibration",
        ),
        (
            "tasks.intent.after",
            "calibrated",
            "tasks.intent: after calibrated needs rule calibrated: the two were proven together",
        ),
        (
            "tasks.intent.after",
            "token_v1",
            "tasks.intent.after.kind: 'token_v1' is not allowed: it is only for the replay; use "
            "v3, diff, opt, opt_greedy or pool",
        ),
        ("tasks.intent.workers", ["x", "x"], "tasks.intent: a worker is named twice"),
        (
            "tasks.intent.workers",
            [{"model": "x", "version": "0"}, "y"],
            "tasks.intent.workers.0.version: '0' is not allowed: "
            'a version is a whole number from 1 on, in quotes: "2"',
        ),
        (
            "tasks.intent.workers",
            [{"model": "x", "shadow": {"version": "2", "share": 0.1}}, "y"],
            "tasks.intent.workers.0: a shadow needs the worker's own version: without it, the "
            "newest that Triton serves would vote",
        ),
        (
            "tasks.intent.workers",
            [{"model": "x", "version": "2", "shadow": {"version": "2", "share": 0.1}}, "y"],
            "tasks.intent.workers.0: the shadow's version votes already: name another, or drop the "
            "shadow",
        ),
        (
            "tasks.intent.workers",
            [{"model": "x", "version": "1", "shadow": {"version": "2", "share": 0}}, "y"],
            "tasks.intent.workers.0.shadow.share: 0 is not allowed: Input should be greater than 0",
        ),
        (
            "tasks.intent.workers",
            [{"model": "x", "version": "1", "shadow": {"version": "2"}}, "y"],
            "tasks.intent.workers.0.shadow.share: is missing; docs/configuration.md says what it "
            "may be",
        ),
        (
            "tasks.intent.workers",
            [{"model": "x", "kind": "word_ngrams", "encoder": "models/mine"}, "y"],
            "tasks.intent.workers.0: an encoder belongs to kind encoder: set that kind, or take it "
            "out",
        ),
        (
            "tasks.intent.when",
            {"field": "/a", "in": ["x"], "equals": "y"},
            "tasks.intent.when: needs exactly one of `equals` and `in`",
        ),
        (
            "tasks.intent.when",
            {"task": "other", "equals": "a"},
            "tasks.intent.when.task: no task 'other'",
        ),
        (
            "tasks.mood",
            {"labels": ["g", "b"], "workers": ["m", "n"], "when": {"task": "intent", "in": ["z"]}},
            "tasks.mood.when: 'z' is no label of task 'intent'",
        ),
    ],
)
def test_an_error_is_one_line_with_key_value_and_what_is_allowed(
    path: Path, dotted: str, value: Any, line: str
) -> None:
    assert complaint(path, changed(dotted, value)) == f"FILE: {line}"


def test_every_error_has_a_line_of_its_own(path: Path) -> None:
    raw = changed("kafka.drain", 0)
    raw["kafka"]["start"] = "never"
    lines = complaint(path, raw).splitlines()
    assert [line.split(":")[1] for line in lines] == [" kafka.start", " kafka.drain"]


def test_a_long_value_is_cut(path: Path) -> None:
    assert len(complaint(path, changed("kafka.compression", "z" * 1000))) < 200


def test_a_password_is_never_shown(path: Path) -> None:
    raw = changed("kafka.security", {"password": 8675309})
    assert "8675309" not in complaint(path, raw)
    security = {"protocol": "SASL_SSL", "mechanism": "PLAIN", "username": "u", "password": "s3cret"}
    assert "s3cret" not in repr(loaded(path, changed("kafka.security", security)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty or no mapping"),
        (b"- a\n- b\n", "is empty or no mapping"),
        (b"kafka: [", "not YAML: .* line 1"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_key_that_stands_twice_is_an_error(path: Path) -> None:
    path.write_text("kafka: {start: earliest}\ntriton: {}\nkafka: {start: latest}\n")
    with pytest.raises(ConfigError, match="the key 'kafka' stands there twice"):
        load(path)


def test_one_worker_is_enough_for_chows_rule(path: Path) -> None:
    raw = minimal()
    raw["tasks"]["intent"] |= {"workers": ["only"], "rule": {"kind": "chow", "alpha": 0.1}}
    assert len(loaded(path, raw).tasks["intent"].workers) == 1


@pytest.mark.parametrize("kind", ["diff", "opt", "opt_greedy", "pool", "v1", "token_v2", "v3"])
def test_a_rule_that_needs_the_judge_can_not_skip_it_and_the_error_says_why(
    path: Path, kind: str
) -> None:
    for written in (kind, {"kind": kind, "alpha": 0.1}):
        assert complaint(path, changed("tasks.intent.rule", written)) == (
            f"FILE: tasks.intent.rule.kind: {kind!r} is not allowed: it needs the judge's "
            "probabilities, so it can't be used to skip the judge; put it under `after`, and "
            "majority, unanimity or chow here"
        )


def test_the_judges_label_stands_unless_told_otherwise(path: Path) -> None:
    after = loaded(path, minimal()).tasks["intent"].after
    assert (after.kind, after.alpha) == ("v3", 0)
    raw = changed("tasks.intent.after", {"kind": "opt", "alpha": -12})
    assert loaded(path, raw).tasks["intent"].after.alpha == -12
    assert loaded(path, changed("tasks.intent.after", "diff")).tasks["intent"].after.kind == "diff"


def test_one_of_several_workers_can_decide_by_chows_rule(path: Path) -> None:
    raw = changed("tasks.intent.rule", {"kind": "chow", "alpha": 0.1, "worker": "intent_y"})
    assert loaded(path, raw).tasks["intent"].rule.worker == "intent_y"


def test_a_model_has_one_label_set(path: Path) -> None:
    raw = minimal()
    raw["tasks"]["mood"] = {"labels": ["good", "bad"], "workers": ["intent_x", "mood_y"]}
    assert "'intent_x' also votes for a task with other labels" in complaint(path, raw)
    raw["tasks"]["mood"]["labels"] = ["a", "b"]
    assert loaded(path, raw).tasks.keys() == {"intent", "mood"}


def test_certificates_need_a_protocol_that_uses_them(path: Path) -> None:
    raw = changed("kafka.security", {"ca_file": "ca.pem"})
    assert "uses no certificates: use SSL or SASL_SSL" in complaint(path, raw)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(ConfigError, match="run `streamer init`, or name your configuration"):
        load(path)


def test_the_environment_is_put_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_HOST", "kafka-7")
    monkeypatch.setenv("DRAIN", "3.5")
    raw = changed("kafka.bootstrap", "${BROKER_HOST}:9092")
    raw["kafka"]["drain"] = "${DRAIN}"
    kafka = loaded(path, raw).kafka
    assert (kafka.bootstrap, kafka.drain) == ("kafka-7:9092", 3.5)


def test_a_variable_that_is_not_set_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BROKER_HOST", raising=False)
    line = complaint(path, changed("kafka.bootstrap", "${BROKER_HOST}:9092"))
    assert line == (
        "FILE: kafka: bootstrap: the environment has no BROKER_HOST; set it, or write the value"
    )


def test_overrides_win_and_make_the_blocks_they_need(path: Path) -> None:
    raw = minimal()
    raw["kafka"] = None
    overrides = {"kafka.start": "latest", "kafka.bootstrap": "h:1", "judge.listen.port": "7"}
    settings = loaded(path, raw, overrides)
    assert (settings.kafka.start, settings.kafka.bootstrap) == ("latest", "h:1")
    assert settings.judge.listen.port == 7


def test_an_override_below_a_value_is_an_error(path: Path) -> None:
    line = complaint(path, minimal(), {"kafka.start.hour": "8"})
    assert line == "kafka.start.hour: can't be set, start is no block but 'earliest'"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (
            "2026-01-31T08:00:00+02:00",
            datetime(2026, 1, 31, 8, tzinfo=timezone(timedelta(hours=2))),
        ),
    ],
)
def test_a_start_time_has_a_zone(path: Path, text: str, moment: datetime) -> None:
    path.write_text(yaml.safe_dump(minimal()).replace("earliest", text))
    assert load(path).kafka.start == moment


def test_settings_are_frozen(path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded(path, minimal()).kafka.group = "other"


@pytest.mark.parametrize(
    ("dotted", "value", "words"),
    [
        ("tasks.intent.laels", [], "tasks.intent.laels: unknown key; did you mean labels?"),
        ("tasks.intent.rule", {"kidn": "x"}, "rule.kidn: unknown key; did you mean kind?"),
        ("kafka.security", {"pasword": "x"}, "pasword: unknown key; did you mean password?"),
        ("judge.engine", {"gpu_shar": 1}, "gpu_shar: unknown key; did you mean gpu_share?"),
        ("judge.engine", {"load_format": "pt"}, "judge.engine.load_format"),
        ("judge.engine", {"kv_cache_dtype": "fp8"}, "engine.kv_cache_dtype means nothing to the"),
        ("judge.engine", {"pipeline_parallel_size": 2}, "engine.pipeline_parallel_size means"),
        ("tasks.intent.workers", [{"modle": "x"}, "y"], "unknown key; did you mean model?"),
        ("zebra", 1, "zebra: unknown key; docs/configuration.md has the keys"),
        ("tasks.intent.rule", "majorty", "; did you mean majority?"),
        ("tasks.intent.rule", {"kind": "calibratd"}, "; did you mean calibrated?"),
        ("tasks.intent.after", "dif", "; did you mean diff?"),
        ("judge.kind", "classifer", "; did you mean classifier?"),
        ("input.id", "ticket.id", "'ticket.id' is not allowed: a JSON pointer begins with a slash"),
        ("input.id", "ticket.id", "did you mean /ticket/id?"),
        ("input.text", ["$.ticket.body"], "did you mean /ticket/body?"),
        ("input.decoder", "decode", "give the dotted name of a function"),
        ("source", "help desk", "use letters, digits"),
        ("source", "", "use letters, digits"),
        ("input.subject", "/subject", "subject /subject is not among text, so that no worker"),
        ("tasks.intent.when", {"task": "intnt", "equals": "a"}, "did you mean intent?"),
        ("input.id", "/", "such as /id or /ticket/id"),
        ("tasks.intent.when", {"field": "source", "equals": "x"}, "did you mean /source?"),
        ("tasks.intent.workers", ["Intent-X", "y"], "use small letters, digits and _"),
        ("tasks.intent.workers", ["x" * 101, "y"], "it has 101 characters"),
        ("tasks.Ärger", {"labels": ["a", "b"], "workers": ["x", "y"]}, "use small letters"),
        ("topics.labels", "tickets/labels", "Kafka takes letters, digits"),
        ("topics.labels", "..", "Kafka takes letters, digits"),
        ("topics.labels", "x" * 250, "Kafka takes 249 at most"),
        ("tasks.intent.labels", ["yes", False], "a text is needed: put it in quotes"),
        ("tasks.intent.labels", ["a", "b "], "begins or ends with a space"),
        ("tasks.intent.labels", ["a", ""], "is empty"),
        ("tasks.intent.labels", ["a", "b\nc"], "U+000A"),
        ("tasks.intent.labels", ["a", "b" * 100_000], "has 100000 characters"),
    ],
)
def test_a_mistake_is_told_by_what_to_do(path: Path, dotted: str, value: Any, words: str) -> None:
    (line,) = {
        line for line in complaint(path, changed(dotted, value)).splitlines() if words in line
    }
    assert len(line) < 400
    assert "pattern" not in line


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([True, False], ["labels.0: True is not allowed: a text is", "labels.1: False is not"]),
        ([1, 2, "ok"], ["labels.0: 1 is not allowed: a text is", "labels.1: 2 is not"]),
        (["a"], ["labels: ['a'] is not allowed: at least 2 are needed"]),
    ],
)
def test_a_list_seems_no_shorter_for_what_is_refused_in_it(
    path: Path, labels: list[object], words: list[str]
) -> None:
    lines = complaint(path, changed("tasks.intent.labels", labels)).splitlines()
    assert len(lines) == len(words)
    assert all(one in line for one, line in zip(words, lines, strict=True))


@pytest.mark.parametrize("share", ["110%", "15 %", "a tenth"])
def test_a_share_is_a_number(path: Path, share: str) -> None:
    said = f"audit.share: {share!r} is not allowed: a number is needed; a share such as 15% is"
    assert complaint(path, changed("audit.share", share)).endswith(f"{said} written 0.15")
