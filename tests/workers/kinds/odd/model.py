"""A worker kind that answers every text with the row of its parameter `row`, as JSON.

Parameters, all as JSON: `shape`, where it isn't [N,K]; `size`, bytes of a number where it isn't 4;
`rows`, how many it answers at most.
"""

import json
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        said = {key: json.loads(v["string_value"]) for key, v in config["parameters"].items()}
        self._row = np.array(said["row"], f"f{said.get('size', 4)}")
        self._shape = said.get("shape")
        self._rows = said.get("rows", 4096)
        self._outputs = [output["name"] for output in config["output"]]

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        texts = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy()
        probs = np.tile(self._row, (min(len(texts), self._rows), 1))
        if self._shape is not None:
            probs = probs.reshape(self._shape)
        wanted = [name for name in self._outputs if name in request.requested_output_names()]
        return pb_utils.InferenceResponse([pb_utils.Tensor(name, probs) for name in wanted])
