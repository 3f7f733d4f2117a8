"""How an endpoint can be asked is found at start, and told."""

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.errors import ConfigError
from streamer.judging.endpoint.dialect import DIALECTS
from streamer.judging.llm.prepared_prompt import Form
from streamer.records.labelset import LabelSet
from tests.judging.endpoint.conftest import LABELS, TASK, labelled, met
from tests.judging.endpoint.served import Served, Way

TEXTS = ("my billing is wrong", "shipping takes ages", "a technical problem", "hello")
SAID = ["billing", "shipping", "technical", "account"]


@pytest.mark.parametrize(
    ("offers", "way", "known"),
    [
        (("exact", "listed", "said"), "exact probabilities of letters", True),
        (("listed", "said"), "the 20 likeliest tokens", True),
        (("said",), "the label alone", False),
    ],
)
async def test_the_best_way_is_found_and_told(
    offers: tuple[Way, ...], way: str, known: bool
) -> None:
    told: list[str] = []
    async with Served(offers).running() as served, met(served, told=told.append) as judge:
        assert await labelled(judge, *TEXTS) == SAID
        (line,) = told
        assert line.startswith(f"{TASK}: judged at {served.url.removeprefix('http://')} by toy@")
        assert way in line
        assert judge.knows == {TASK: known}
        scores = await judge.score(TASK, LABELS.version, TEXTS)
        assert scores.known == known
        assert scores.probabilities.sum(axis=1) == pytest.approx(1)
        if known:
            assert scores.coverage == pytest.approx(0.96, abs=1e-3)
            assert scores.probabilities.max(axis=1) == pytest.approx(0.9 / 0.96, abs=1e-3)
        else:
            assert scores.coverage is None
            assert scores.probabilities.max(axis=1).tolist() == [1.0] * 4


@pytest.mark.parametrize("asked", [{"contextual": True}, {"shifts": 3}])
async def test_what_needs_exact_probabilities_is_refused_where_there_are_none(
    asked: dict[str, Any],
) -> None:
    form = Form(codes="letters", max_ticket_tokens=256, **asked)
    async with Served(("listed",)).running() as served:
        with pytest.raises(ConfigError, match=r"judge\.contextual and judge\.shifts"):
            async with met(served, form=form):
                raise AssertionError("it was met")
    async with Served().running() as served, met(served, form=form) as judge:
        assert await labelled(judge, *TEXTS) == SAID


async def test_a_template_that_can_t_be_put_together_from_pieces_is_left_to_the_server() -> None:
    # As of a tokenizer whose tokens don't give back the text that they were made of.
    served = Served()
    served.lossy = True
    told: list[str] = []
    async with served.running(), met(served, told=told.append) as judge:
        assert "the 20 likeliest tokens" in told[0]
        assert await labelled(judge, *TEXTS) == SAID


async def test_a_classifier_is_asked_for_its_classes() -> None:
    async with (
        Served(("classes",), classes=LABELS.labels).running() as served,
        met(served) as judge,
    ):
        assert await labelled(judge, *TEXTS) == SAID
        assert judge.version(TASK, LABELS.version) == "toy-classes"
        scores = await judge.score(TASK, LABELS.version, TEXTS)
        assert scores.probabilities.max(axis=1) == pytest.approx(0.9)


@pytest.mark.parametrize("classes", [("account", "billing"), LABELS.labels[::-1]])
async def test_a_classifier_of_other_classes_is_refused(classes: tuple[str, ...]) -> None:
    async with Served(("classes",), classes=classes).running() as served:
        with pytest.raises(ConfigError, match="in the same order"):
            async with met(served):
                raise AssertionError("it was met")


async def test_a_classifier_per_task_is_named_by_the_task() -> None:
    async with Served(("classes",), model="toy-intent", classes=LABELS.labels).running() as served:
        with pytest.raises(ConfigError, match=r"\{task\}"):
            async with met(served, tasks=("intent", "mood")):
                raise AssertionError("it was met")
        async with met(served, address={"model": "toy-{task}"}) as judge:
            assert await labelled(judge, *TEXTS) == SAID


async def test_names_are_scored_along_their_trie_as_by_the_embedded_model() -> None:
    async with (
        Served().running() as served,
        met(served, form=Form(codes="names", max_ticket_tokens=64)) as judge,
    ):
        scores = await judge.score(TASK, LABELS.version, ["billing"])
        assert scores.probabilities.shape == (1, 4)
        assert judge.version(TASK, LABELS.version).endswith("-names")


async def test_what_a_list_lacks_gets_a_floor_and_no_coverage() -> None:
    labels = LabelSet(tuple(f"label_{number:02d}" for number in range(26)))
    async with Served(("listed",)).running() as served, met(served, labels=labels) as judge:
        scores = await judge.score(TASK, labels.version, ["label_07"])
        row = scores.probabilities[0]
        # 20 are listed: one with 0.9 and 19 with 0.02; the list leaves nothing over.
        assert int(row.argmax()) == 7
        assert np.count_nonzero(row > 0.01) == 20
        assert (row > 0).all()
        assert scores.coverage == pytest.approx(1)


async def test_more_labels_than_letters_are_asked_by_name() -> None:
    labels = LabelSet(tuple(f"label_{number:02d}" for number in range(30)))
    async with Served(("listed", "said")).running() as served, met(served, labels=labels) as judge:
        assert judge.knows == {TASK: False}
        assert await labelled(judge, "label_29") == ["label_29"]


@pytest.mark.parametrize(
    "strict",
    [
        ("chat_template_kwargs",),
        ("chat_template_kwargs", "max_tokens"),
        ("chat_template_kwargs", "max_tokens", "temperature"),
    ],
)
async def test_options_that_a_server_refuses_are_left_out(strict: tuple[str, ...]) -> None:
    async with Served(("said",), strict=strict).running() as served, met(served) as judge:
        assert await labelled(judge, *TEXTS) == SAID
        _, body = served.asked[-1]
        assert not set(strict) & set(body)
    assert len({str(one) for one in DIALECTS}) == len(DIALECTS)


async def test_an_endpoint_that_can_nothing_is_refused_with_all_reasons() -> None:
    async with Served(()).running() as served:
        with pytest.raises(ConfigError) as refused:
            async with met(served):
                raise AssertionError("it was met")
    for way in ("classes", "exact", "listed", "said"):
        assert f"{way}: " in str(refused.value)


async def test_a_wrong_key_and_a_wrong_model_are_the_configurations_fault() -> None:
    async with Served(key="right").running() as served:
        with pytest.raises(ConfigError, match=r"judge\.endpoint\.key.*401") as refused:
            async with met(served, address={"key": "wrong-key"}):
                raise AssertionError("it was met")
        assert "wrong-key" not in str(refused.value)
        with pytest.raises(ConfigError, match=r"judge\.endpoint\.model.* serves toy"):
            async with met(served, address={"key": "right", "model": "other"}):
                raise AssertionError("it was met")
        async with met(served, address={"key": "right"}) as judge:
            assert await labelled(judge, *TEXTS) == SAID
            assert "right" not in repr(judge._endpoints[0].address)


async def test_who_does_not_answer_is_waited_for_until_patience_ends() -> None:
    served = Served()
    served.url = "http://127.0.0.1:9"
    with pytest.raises(ConfigError, match="gives no answer"):
        async with met(served, patience=0.5):
            raise AssertionError("it was met")


async def test_tls_asks_for_a_known_authority(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    async with Served().running(tls) as served:
        async with met(served, address={"ca_file": certificate}) as judge:
            assert await labelled(judge, *TEXTS) == SAID
        with pytest.raises(ConfigError, match=r"certificate|no answer"):
            async with met(served, patience=0.5):
                raise AssertionError("it was met")
        with pytest.raises(ConfigError, match=r"ca_file"):
            async with met(served, address={"ca_file": key.with_name("none.pem")}):
                raise AssertionError("it was met")
