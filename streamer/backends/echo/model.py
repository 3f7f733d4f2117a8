"""The worker kind for tests and benchmarks: it reads the label from the text, and guesses nothing.

A text's markers decide (`<model>` is the Triton name of the model that reads it): `#refuse` refuses
the whole request, `#crash` raises, `#nan` makes the row unusable, `#<model>=<i>` names label i for
this model alone, `#label=<i>` names it for all; else a checksum of the text picks the label.

Parameters: `confidence` of the named label (default 0.9), `delay_ms` per execution (default 0).
"""

import json
import re
import time
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        settings = {k: v["string_value"] for k, v in config.get("parameters", {}).items()}
        self._size = config["output"][0]["dims"][0]
        self._delay_s = float(settings.get("delay_ms", "0")) / 1000
        self._confidence = float(settings.get("confidence", "0.9"))
        own = re.escape(args["model_name"].encode())
        version = re.escape(args["model_version"].encode())
        self._versions = re.compile(b"#" + own + rb"\." + version + rb"=(\d+)")
        self._own = re.compile(b"#" + own + rb"=(\d+)")
        self._shared = re.compile(rb"#label=(\d+)")

    def execute(self, requests: list[Any]) -> list[Any]:
        if self._delay_s:
            time.sleep(self._delay_s)
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().ravel()
        marked = [i for i, text in enumerate(texts) if b"#" in text]
        if any(b"#refuse" in texts[i] for i in marked):
            error = pb_utils.TritonError("a text asks for it", pb_utils.TritonError.INVALID_ARG)
            return pb_utils.InferenceResponse(error=error)
        if any(b"#crash" in texts[i] for i in marked):
            raise RuntimeError("a text asks for it")
        probs = self._probs(np.fromiter(map(zlib.crc32, texts), np.uint32, len(texts)) % self._size)
        for i in marked:
            self._mark(probs[i], texts[i])
        return pb_utils.InferenceResponse([pb_utils.Tensor("PROBS", probs)])

    def _probs(self, labels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        rest = (1 - self._confidence) / (self._size - 1)
        probs = np.full((len(labels), self._size), rest, np.float32)
        probs[np.arange(len(labels)), labels] = self._confidence
        return probs

    def _mark(self, row: npt.NDArray[np.float32], text: bytes) -> None:
        if b"#nan" in text:
            row[:] = np.nan
            return
        markers = (self._versions, self._own, self._shared)
        if named := next(filter(None, (marker.search(text) for marker in markers)), None):
            row[:] = self._probs(np.array([int(named[1]) % self._size]))[0]
