"""Worker kind: a linear head over the embeddings of a sentence encoder."""

from typing import Any

import triton_python_backend_utils as pb_utils

from streamer.backends.encoder_model import EncoderModel
from streamer.backends.serving import load_served, respond


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self._model = load_served(args, EncoderModel.load)

    def execute(self, requests: list[Any]) -> list[Any]:
        return respond(requests, self._model, pb_utils)
