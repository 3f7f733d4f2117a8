"""A Kafka that lets nobody in without TLS, a client certificate and a password."""

import asyncio
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from streamer.client import labels
from streamer.dev.kafka import Kafka
from streamer.dev.ports import LOOPBACK, free_port
from streamer.dev.triton import Triton
from tests.stage import Stage, agreed, disputed, streamer
from tests.waiting import eventually

USER, PASSWORD = "streamer", "s3cret"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True)
class Secured:
    """A broker with one open listener, for the test's own eyes, and one that is secured."""

    kafka: Kafka
    address: str
    folder: Path


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured")
    certificate(folder, "broker")
    certificate(folder, "user")
    whole_key = (folder / "broker.key.pem").read_text() + (folder / "broker.pem").read_text()
    (folder / "keystore.pem").write_text(whole_key)
    port, secure, controller = free_port(), free_port(), free_port()
    listener = "listener.name.secure"
    properties = {
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},SECURE://{LOOPBACK}:{secure},"
        f"CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port},SECURE://{LOOPBACK}:{secure}",
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
        "SECURE:SASL_SSL",
        f"{listener}.sasl.enabled.mechanisms": "PLAIN",
        f"{listener}.plain.sasl.jaas.config": f'{LOGIN} user_{USER}="{PASSWORD}";',
        f"{listener}.ssl.client.auth": "required",
        f"{listener}.ssl.keystore.type": "PEM",
        f"{listener}.ssl.keystore.location": str(folder / "keystore.pem"),
        f"{listener}.ssl.truststore.type": "PEM",
        f"{listener}.ssl.truststore.location": str(folder / "user.pem"),
    }
    with Kafka(folder / "kafka", port=port, properties=properties) as kafka:
        yield Secured(kafka, f"{LOOPBACK}:{secure}", folder)


def certificate(folder: Path, name: str) -> None:
    """A key, and a certificate that it signed itself, for a server or client on loopback."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", f"{name}.key.pem", "-out", f"{name}.pem", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=IP:{LOOPBACK}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def stage(tmp_path: Path, secured: Secured, triton_echo: Triton) -> Iterator[Stage]:
    for file in secured.folder.glob("*.pem"):
        (tmp_path / file.name).symlink_to(file)
    security = {
        "protocol": "SASL_SSL",
        "mechanism": "PLAIN",
        "username": USER,
        "password": "${KAFKA_PASSWORD}",
        # Relative to the configuration file, as every path in it.
        "ca_file": "broker.pem",
        "cert_file": "user.pem",
        "key_file": "user.key.pem",
    }
    blocks = {"kafka": {"bootstrap": secured.address, "security": security}}
    with Stage(tmp_path, secured.kafka, triton_echo.url, blocks) as made:
        yield made


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", PASSWORD)


async def test_every_client_of_a_service_is_let_in(stage: Stage) -> None:
    await stage.make_topics()
    service = stage.service()
    await service.started()
    await stage.feed([*map(agreed, range(20)), *map(disputed, range(20, 30))])
    await stage.drained()
    account = await stage.account()
    assert account.totals(["intent"]) == {"label": 20, "deferred": 10}
    assert await service.stopped() == 0
    assert PASSWORD not in service.child.log.read_text()


async def test_so_are_the_commands(stage: Stage, tmp_path: Path) -> None:
    await stage.make_topics()
    tickets = tmp_path / "tickets.jsonl"
    tickets.write_text("".join(f'{{"id": "s{n}", "text": "#label=1"}}\n' for n in range(5)))
    config = ("--config", str(stage.config))
    sent = streamer("send", str(tickets), *config)
    assert sent.returncode == 0, sent.stderr
    service = stage.service()
    await service.started()
    await stage.drained()
    tailed = streamer("tail", *config, "--beginning", "--json", "--count", "5")
    assert (tailed.returncode, len(tailed.stdout.splitlines())) == (0, 5), tailed.stderr
    checked = streamer("check", *config, "--connect")
    # The judge was not trained here; nothing else is wrong.
    assert len(checked.stderr.splitlines()) == 1, checked.stderr
    assert "streamer train judge" in checked.stderr
    assert await service.stopped() == 0


async def test_so_is_a_subscriber(stage: Stage, secured: Secured) -> None:
    await stage.make_topics()
    service = stage.service()
    await service.started()
    await stage.feed([agreed(0)])
    context = ssl.create_default_context(cafile=secured.folder / "broker.pem")
    context.load_cert_chain(secured.folder / "user.pem", secured.folder / "user.key.pem")
    login = {"sasl_mechanism": "PLAIN", "sasl_plain_username": USER}
    found = labels(
        secured.address,
        topic=stage.topics.labels,
        group="subscriber",
        security_protocol="SASL_SSL",
        ssl_context=context,
        sasl_plain_password=PASSWORD,
        **login,
    )
    async with aclosing(found), asyncio.timeout(60):
        assert (await anext(found)).source == "workers"
    assert await service.stopped() == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("password", "wrong"),
        ("username", "nobody"),
        ("ca_file", "user.pem"),
        ("protocol", "SSL"),
        ("ca_file", "nowhere.pem"),
    ],
)
async def test_whoever_is_not_let_in_is_told_in_one_line(
    stage: Stage, key: str, value: str
) -> None:
    await stage.make_topics()
    given = ["--set", f"kafka.security.{key}={value}", "--listen", "127.0.0.1:0"]
    done = streamer("classify", "--config", str(stage.config), *given)
    assert done.returncode == 2, done.stderr
    said = [line for line in done.stderr.splitlines() if " INFO streamer." not in line]
    assert len(said) == 1, done.stderr
    assert "kafka.security" in said[0]


async def test_so_is_the_monitor(stage: Stage) -> None:
    await stage.make_topics(1)
    service, monitor = stage.service(), stage.service("monitor")
    await service.started()
    await monitor.started()
    await stage.feed(map(agreed, range(20)))

    def heard() -> bool:
        assert monitor.child.running, monitor.log
        with urllib.request.urlopen(f"{monitor.url}/api/state", timeout=5) as answer:
            state = orjson.loads(answer.read())
        return bool(state["tasks"]["intent"]["tickets"] == 20)

    assert await asyncio.to_thread(eventually, heard), monitor.log
    assert await monitor.stopped() == 0
    assert PASSWORD not in monitor.child.log.read_text()
