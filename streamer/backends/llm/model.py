"""Worker kind: a language model behind an endpoint, asked by the judge's prompt."""

from typing import Any

import triton_python_backend_utils as pb_utils

from streamer.backends.remote_serving import RemoteServing


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self._serving = RemoteServing(args, pb_utils)

    def execute(self, requests: list[Any]) -> None:
        self._serving.begin(requests)

    def finalize(self) -> None:
        self._serving.end()
