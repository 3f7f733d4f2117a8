"""An embedded Triton: the server of the nvidia-pytriton wheel, on loopback, CPU only."""

import os
import signal
import sys
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from streamer.dev.backends import KINDS, lay_out_backends, wheel
from streamer.dev.child import Child, wait_until_ready
from streamer.dev.ports import LOOPBACK, free_port, is_served
from streamer.errors import ModelError
from streamer.observe.exporter import traces_url
from streamer.workers.wire import CANARY, TextTensor, probs_request

_START_S = 120.0
_EXIT_S = 10
_CANARY_S = 5.0

# Seen about once in a hundred starts of 2.51 on a busy machine: its own locking fails while it
# connects to a stub (boost::interprocess::lock_exception), and it aborts.
_ATTEMPTS = 3
_ABORTED = -signal.SIGABRT


class Triton:
    """One server for the models in `models_repo`; its backends and log lie in the folder `state`.

    Only the named `models` are loaded, or all of them. Every folder of `backends` with a model.py
    is a kind of worker. Ports that aren't given are 8001 (gRPC), 8000 (HTTP) and 8002 (metrics),
    or others where those are taken. With `explicit_control`, `load` and `unload` work.
    Triton's spans of calls that carry a traceparent go where the OTEL_* variables say (OTLP over
    HTTP, in JSON).
    """

    def __init__(
        self,
        state: Path,
        models_repo: Path,
        *,
        models: Sequence[str] | None = None,
        backends: Path = KINDS,
        grpc_port: int | None = None,
        http_port: int | None = None,
        metrics_port: int | None = None,
        explicit_control: bool = False,
    ) -> None:
        self.grpc_port = free_port(8001) if grpc_port is None else grpc_port
        self.http_port = free_port(8000) if http_port is None else http_port
        self.metrics_port = free_port(8002) if metrics_port is None else metrics_port
        self._state = state.absolute()
        self._models_repo = models_repo.absolute()
        self._models = models
        self._backends = backends.absolute()
        self._explicit_control = explicit_control
        self._traces_url = traces_url(os.environ)
        # So that no other server on the same port is taken for this one.
        self._id = uuid.uuid4().hex
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The address of the gRPC endpoint."""
        return f"{LOOPBACK}:{self.grpc_port}"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def log(self) -> Path:
        return self._state / "triton.log"

    def start(self) -> None:
        """Start the server and wait until every model has answered a canary.

        Raises ConfigError where the wheel is missing, ModelError with the log's end where a model
        doesn't load.
        """
        if self.running:
            return
        server = wheel()
        self._free_shared_memory()
        lay_out_backends(self._state / "backends", self._backends)
        self._child = Child(self._command(server), self.log, env=_environment(server))
        if not self._comes_up(self._child):
            why = self._why_not()
            self.stop()
            raise ModelError(f"the embedded Triton didn't start; its log ({self.log}):\n{why}")

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(grace_s=_EXIT_S + 5.0)
        self._free_shared_memory()

    def healthy(self) -> bool:
        """Whether every model answers a canary: a dead stub still calls itself ready.

        Of named models only these: an ensemble loads others, which take no texts.
        """
        with grpc.insecure_channel(self.url) as channel:
            triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            try:
                server = triton.ServerMetadata(
                    service_pb2.ServerMetadataRequest(), timeout=_CANARY_S
                )
                index = triton.RepositoryIndex(
                    service_pb2.RepositoryIndexRequest(ready=True), timeout=_CANARY_S
                )
                for model in self._models or [model.name for model in index.models]:
                    if not _lives(triton, model):
                        return False
            except grpc.RpcError:
                return False
        return bool(server.name == self._id and index.models)

    def load(self, model: str) -> None:
        """Load a model, or its newest version; raises ModelError. Needs `explicit_control`."""
        request = service_pb2.RepositoryModelLoadRequest(model_name=model)
        self._control("RepositoryModelLoad", request)

    def unload(self, model: str) -> None:
        """Unload a model; raises ModelError. Needs `explicit_control`."""
        request = service_pb2.RepositoryModelUnloadRequest(model_name=model)
        self._control("RepositoryModelUnload", request)

    def __enter__(self) -> "Triton":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _control(self, method: str, request: object) -> None:
        with grpc.insecure_channel(self.url) as channel:
            triton = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            try:
                getattr(triton, method)(request, timeout=_START_S)
            except grpc.RpcError as error:
                raise ModelError(f"{method}: {error.details()}; see {self.log}") from error

    def _comes_up(self, child: Child) -> bool:
        for _ in range(_ATTEMPTS):
            child.start()
            if wait_until_ready(child, self._serves, _START_S):
                return True
            if child.returncode != _ABORTED:
                break
        return False

    def _serves(self) -> bool:
        # The listeners start one after the other, gRPC first.
        return self.healthy() and all(map(is_served, (self.http_port, self.metrics_port)))

    @property
    def shared_memory(self) -> str:
        """How the stubs' memory is named: the same after a restart, and no other server's."""
        return f"streamer-{zlib.crc32(bytes(self._state)):08x}-"

    def _free_shared_memory(self) -> None:
        # A killed Triton leaves a megabyte or more of each of its stubs in memory.
        for region in Path("/dev/shm").glob(f"{self.shared_memory}*"):
            region.unlink(missing_ok=True)

    def _why_not(self) -> str:
        """What the log says of models that failed, else its last lines."""
        lines = self._child.log_tail(200).splitlines() if self._child else []
        failed = [" ".join(line.strip("| ").split()) for line in lines if "UNAVAILABLE: " in line]
        return "\n".join(failed or lines[-20:])

    def _command(self, server: Path) -> list[str]:
        command = [
            str(server / "bin" / "tritonserver"),
            f"--id={self._id}",
            f"--model-repository={self._models_repo}",
            f"--backend-directory={self._state / 'backends'}",
            f"--http-address={LOOPBACK}",
            f"--http-port={self.http_port}",
            f"--grpc-address={LOOPBACK}",
            f"--grpc-port={self.grpc_port}",
            f"--metrics-address={LOOPBACK}",
            f"--metrics-port={self.metrics_port}",
            "--disable-auto-complete-config",
            f"--exit-timeout-secs={_EXIT_S}",
            f"--backend-config=python,shm-region-prefix-name={self.shared_memory}",
        ]
        if self._explicit_control or self._models is not None:
            wanted = ["*"] if self._models is None else self._models
            command += ["--model-control-mode=explicit"]
            command += [f"--load-model={model}" for model in wanted]
        else:
            command += ["--model-control-mode=none"]
        return command + [f"--trace-config={setting}" for setting in self._tracing()]

    def _tracing(self) -> list[str]:
        if self._traces_url is None:
            return []
        settings = ["mode=opentelemetry", "level=TIMESTAMPS"]
        # No sampling of its own: only what came with a traceparent, which always is exported.
        settings += ["rate=0", f"opentelemetry,url={self._traces_url}"]
        settings += ["opentelemetry,resource=service.name=triton"]
        if delay := os.environ.get("OTEL_BSP_SCHEDULE_DELAY"):
            settings += [f"opentelemetry,bsp_schedule_delay={delay}"]
        return settings


def _lives(triton: service_pb2_grpc.GRPCInferenceServiceStub, model: str) -> bool:
    """Whether its stub does: one that says itself that it is out waits for what it asks."""
    try:
        triton.ModelInfer(probs_request(model, TextTensor([CANARY])), timeout=_CANARY_S)
    except grpc.RpcError as error:
        return bool(error.code() is grpc.StatusCode.UNAVAILABLE)
    return True


def _environment(server: Path) -> dict[str, str]:
    """Ours, changed so that the server finds its libraries and its stubs find our packages."""
    libraries = [server.parents[1] / "nvidia_pytriton.libs", Path(sys.base_prefix) / "lib"]
    return {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        # The stub takes its packages from the environment of the first Python on PATH.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "OMP_NUM_THREADS": "1",
    }
