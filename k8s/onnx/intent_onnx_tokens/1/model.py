"""TEXT to INPUT_IDS and ATTENTION_MASK [N, L], by the tokenizer.json beside this file.

L is the shortest of a few lengths that holds the longest text: the dynamic batcher of the next
model merges equal shapes alone. Texts are cut at `max_tokens`.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from tokenizers import Tokenizer

LENGTHS = (32, 64, 128, 256, 512)


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        longest = int(config["parameters"]["max_tokens"]["string_value"])
        self._lengths = [length for length in LENGTHS if length < longest] + [longest]
        here = Path(args["model_repository"]) / args["model_version"]
        self._tokenizer = Tokenizer.from_file(str(here / "tokenizer.json"))
        self._tokenizer.enable_truncation(longest)
        # The padding token may be the file's, but never its length.
        padding = self._tokenizer.padding or {}
        self._pad_id = int(padding.get("pad_id", 0))
        self._tokenizer.no_padding()

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        rows = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().ravel()
        # Bytes that aren't UTF-8 must not fail the rows beside them.
        texts = [bytes(row).decode("utf-8", "replace") for row in rows]
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts)]
        needed = max(map(len, tokens))
        length = next(length for length in self._lengths if length >= needed)
        ids = np.full((len(tokens), length), self._pad_id, np.int64)
        mask = np.zeros((len(tokens), length), np.int64)
        for row, found in enumerate(tokens):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1
        tensors = [pb_utils.Tensor("INPUT_IDS", ids), pb_utils.Tensor("ATTENTION_MASK", mask)]
        return pb_utils.InferenceResponse(tensors)
