"""Worker kind: words and pairs of words, linear."""

from functools import partial
from typing import Any

import triton_python_backend_utils as pb_utils

from streamer.backends.linear import LinearModel
from streamer.backends.ngrams import words
from streamer.backends.serving import load_served, respond


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self._model = load_served(args, partial(LinearModel.load, extract=words))

    def execute(self, requests: list[Any]) -> list[Any]:
        return respond(requests, self._model, pb_utils)
