"""Worker kind: averaged embeddings of word pieces, one hidden layer."""

from functools import partial
from typing import Any

import triton_python_backend_utils as pb_utils

from streamer.backends.net import NetModel
from streamer.backends.ngrams import pieces
from streamer.backends.serving import load_served, respond


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self._model = load_served(args, partial(NetModel.load, extract=pieces))

    def execute(self, requests: list[Any]) -> list[Any]:
        return respond(requests, self._model, pb_utils)
