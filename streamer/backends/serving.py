"""What every trained kind does in Triton: TEXT in, PROBS out, no row ever disturbs another.

Triton's own module exists only inside of its stub process, so it is passed in as `triton`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from streamer.backends.experts import Experts, load_either
from streamer.backends.features import Floats
from streamer.backends.model import Model
from streamer.errors import DEFECTS, ModelError

M = TypeVar("M", bound=Model)


def load_served(args: Mapping[str, str], load: Callable[[Path], M]) -> M | Experts:
    """The version that Triton asks for; `load` reads one model of the kind.

    Raises ModelError if it has another label count.
    """
    folder = Path(args["model_repository"]) / args["model_version"]
    model = load_either(folder, load)
    size = json.loads(args["model_config"])["output"][0]["dims"][0]
    if model.size != size:
        raise ModelError(
            f"{folder} knows {model.size} labels, its config.pbtxt says {size}: train it again"
        )
    return model


def respond(requests: Sequence[Any], model: Model, triton: Any) -> list[Any]:
    """Answer the rows of all requests by one run of the model."""
    batches = [texts_of(request, triton) for request in requests]
    probs = usable_rows(model, [text for batch in batches for text in batch])
    ends = np.cumsum([len(batch) for batch in batches])[:-1]
    return [
        triton.InferenceResponse([triton.Tensor("PROBS", np.ascontiguousarray(part))])
        for part in np.split(probs, ends)
    ]


def usable_rows(model: Model, texts: Sequence[str]) -> Floats:
    """Probabilities [N, K]; a text that the model fails on gets a row of NaN, the others theirs."""
    try:
        return model.probabilities(texts)
    except DEFECTS:
        if len(texts) < 2:
            return np.full((len(texts), model.size), np.nan, dtype=np.float32)
    return np.concatenate([usable_rows(model, [text]) for text in texts])


def texts_of(request: Any, triton: Any) -> list[str]:
    """The rows of a request; what is no UTF-8 is replaced."""
    rows = triton.get_input_tensor_by_name(request, "TEXT").as_numpy().ravel()
    return [bytes(row).decode("utf-8", "replace") for row in rows]
