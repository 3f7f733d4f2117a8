"""The gRPC client of a worker server: one channel per process, and the calls we need."""

from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
from tritonclient.grpc import service_pb2, service_pb2_grpc

from streamer.errors import ConfigError, in_words
from streamer.workers.faults import fault
from streamer.workers.wire import (
    TextTensor,
    labels_request,
    probs_request,
    read_labels,
    read_most_rows,
    read_probs,
)

_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # With pick_first, all calls would stay on one pod of a headless service.
    ("grpc.lb_policy_name", "round_robin"),
    # Retries are the worker's business: it alone knows when to stop and how to count them.
    ("grpc.enable_retries", 0),
    # gRPC's own cap is two minutes, an outage of its own after a restart that took ten seconds.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM format; the system's authorities where `ca` is left out."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files; raises ConfigError where one can't be read."""
        try:
            ca, certificate, key = (
                f and f.read_bytes() for f in (self.ca, self.certificate, self.key)
            )
        except OSError as error:
            raise ConfigError(
                f"can't read a file of triton's TLS settings: {in_words(error)}; correct "
                "triton.ca_file"
            ) from error
        return grpc.ssl_channel_credentials(ca, key, certificate)


class TritonClient:
    """Asks the workers behind `url` ("host:port"). Belongs to the event loop that made it."""

    def __init__(self, url: str, *, tls: Tls | None = None) -> None:
        self.url = url
        if tls is None:
            self._channel = grpc.aio.insecure_channel(url, options=_OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(url, tls.credentials(), options=_OPTIONS)
        stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._infer, self._config = stub.ModelInfer, stub.ModelConfig

    async def infer(
        self,
        model: str,
        tensor: TextTensor,
        deadline_s: float,
        traceparent: str | None = None,
        version: str = "",
    ) -> tuple[str, npt.NDArray[np.float32]]:
        """The version that answered and its probabilities [N, K], read-only; "" asks the current.

        Triton exports the spans of every call that has a `traceparent`: give only sampled ones.
        Raises Outage, of any kind, or Refused.
        """
        metadata = None if traceparent is None else (("traceparent", traceparent),)
        request = probs_request(model, tensor, version)
        call = self._infer(request, timeout=deadline_s, metadata=metadata)
        return read_probs(model, await _answer(model, call))

    async def labels(
        self, model: str, deadline_s: float, version: str = ""
    ) -> tuple[str, tuple[str, ...]]:
        """The version that answered and its label names in their order; none if it has no names.

        Raises Outage, of any kind, or Refused.
        """
        call = self._infer(labels_request(model, version), timeout=deadline_s)
        return read_labels(model, await _answer(model, call))

    async def most_rows(self, model: str, deadline_s: float, version: str = "") -> int:
        """How many rows a call of the model may have, as Triton is configured.

        Raises Outage, of any kind: Misfit where the model can't be a worker.
        """
        request = service_pb2.ModelConfigRequest(name=model, version=version)
        call = self._config(request, timeout=deadline_s)
        return read_most_rows(model, await _answer(model, call))

    async def close(self) -> None:
        await self._channel.close()


async def _answer(model: str, call: Awaitable[Any]) -> Any:
    try:
        return await call
    except grpc.RpcError as error:
        raise fault(model, error) from error
