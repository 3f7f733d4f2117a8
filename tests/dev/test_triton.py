import importlib.util
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.errors import ConfigError, ModelError
from streamer.learn.artifacts.repository import write_model
from tests.conftest import ECHO_LABELS, own_triton
from tests.dev.sockets import listeners
from tests.dev.test_child import gone
from tests.waiting import eventually


@pytest.fixture
def triton(tmp_path: Path):
    for name in ("one", "two"):
        write_model(tmp_path / "models", name, "echo", ECHO_LABELS)
    with own_triton(tmp_path / "state", tmp_path / "models") as server:
        yield server


def family(pid: int) -> list[psutil.Process]:
    server = psutil.Process(pid)
    return [server, *server.children(recursive=True)]


def stub_of(triton: Triton, model: str) -> int:
    (stub,) = [p for p in family(triton.pid)[1:] if any(f"/{model}/" in a for a in p.cmdline())]
    return stub.pid


def test_serves_on_loopback_only_and_leaves_nothing_behind(triton: Triton) -> None:
    ports = {triton.grpc_port, triton.http_port, triton.metrics_port}
    assert listeners(triton.pid) == {("127.0.0.1", port) for port in ports}
    processes = family(triton.pid)
    assert [process.name()[:18] for process in processes].count("triton_python_back") == 2
    triton.stop()
    assert eventually(lambda: all(gone(process.pid) for process in processes))
    assert not triton.healthy()


def test_a_dead_stub_is_unhealthy_while_triton_calls_itself_ready(triton: Triton) -> None:
    assert triton.healthy()
    os.kill(stub_of(triton, "one"), signal.SIGKILL)
    assert not triton.healthy()
    ready = f"http://127.0.0.1:{triton.http_port}/v2/health/ready"
    with urllib.request.urlopen(ready) as answer:
        assert answer.status == 200


def test_unloads_and_loads(triton: Triton) -> None:
    triton.unload("one")
    triton.load("one")
    assert triton.healthy()
    with pytest.raises(ModelError, match="nobody"):
        triton.load("nobody")


def test_starts_again_on_the_same_port(triton: Triton) -> None:
    url = triton.url
    triton.stop()
    triton.start()
    assert triton.url == url
    assert triton.healthy()


def test_dies_with_a_killed_parent(tmp_path: Path) -> None:
    write_model(tmp_path / "models", "one", "echo", ECHO_LABELS)
    code = (
        "import sys, time; from pathlib import Path; from tests.conftest import own_triton;"
        "triton = own_triton(Path(sys.argv[1], 'state'), Path(sys.argv[1], 'models'));"
        "triton.start(); print(triton.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        processes = family(int(parent.stdout.readline()))
        names = [process.name()[:13] for process in processes]
        parent.kill()
    assert {"tritonserver", "triton_python"} <= set(names)
    assert eventually(lambda: all(gone(process.pid) for process in processes))
    successor = own_triton(tmp_path / "state", tmp_path / "models")
    regions = f"{successor.shared_memory}*"
    assert list(Path("/dev/shm").glob(regions))
    successor.stop()
    assert not list(Path("/dev/shm").glob(regions))


def test_a_model_that_does_not_load_is_named(tmp_path: Path) -> None:
    write_model(tmp_path / "models", "lost", "nokind", ECHO_LABELS)
    with pytest.raises(ModelError, match=r"lost .*nokind"):
        own_triton(tmp_path / "state", tmp_path / "models").start()


def test_without_the_wheel_one_line_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        Triton(tmp_path / "state", tmp_path / "models").start()
    assert "streamer[dev]" in str(caught.value)
    assert "--triton host:port" in str(caught.value)


def test_takes_other_ports_when_the_usual_ones_are_taken(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("streamer.dev.ports.is_free", lambda port: port not in (8000, 8001, 8002))
    server = Triton(tmp_path / "state", tmp_path / "models")
    ports = {server.grpc_port, server.http_port, server.metrics_port}
    assert len(ports) == 3
    assert not ports & {8000, 8001, 8002}
    assert Triton(tmp_path, tmp_path, grpc_port=(port := free_port())).grpc_port == port
