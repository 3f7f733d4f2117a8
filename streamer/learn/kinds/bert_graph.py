"""A BERT-like sentence encoder as an ONNX graph that ONNX Runtime runs fast on a CPU.

After Devlin et al. 2019; an embedding is the mean over the tokens of the states of some layers,
each of length 1, side by side. Written node by node: an exporter would need PyTorch.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from streamer.errors import ConfigError, in_words
from streamer.learn.kinds import onnx_file
from streamer.learn.kinds.onnx_file import RUNTIME
from streamer.learn.kinds.safetensors import Arrays, read_safetensors

_WANTED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
_WORDS = "embeddings.word_embeddings.weight"
_POSITIONS = "embeddings.position_embeddings.weight"
_TYPES = "embeddings.token_type_embeddings.weight"
_ATTENTION = ("query", "key", "value")


def bert_graph(folder: Path, layers: Sequence[int]) -> bytes:
    """ONNX from config.json and model.safetensors; `layers` are numbered from 1.

    Inputs are `input_ids` and `attention_mask`, int64 [N, T], the output is `embeddings`, float32
    [N, D]. Raises `ConfigError` for another architecture.
    """
    config = json.loads((folder / "config.json").read_bytes())
    for key, wanted in _WANTED.items():
        if (found := config.get(key, wanted)) != wanted:
            raise ConfigError(
                f"{folder}: {key} is {found}, and workers of kind encoder are made of {wanted}"
                " alone: name the folder of another encoder"
            )
    weights = read_safetensors(folder / "model.safetensors")
    try:
        return _Graph(config, weights).written(layers)
    except KeyError as error:
        raise ConfigError(
            f"{folder} holds no BERT encoder ({in_words(error)}); name another folder"
        ) from error


class _Graph:
    """Nodes and constants so far; each value is known by its name."""

    def __init__(self, config: Mapping[str, Any], weights: Arrays) -> None:
        self._heads: int = config["num_attention_heads"]
        self._epsilon: float = config["layer_norm_eps"]
        self._weights = {name.removeprefix("bert."): array for name, array in weights.items()}
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}
        self._numbers = count()

    def written(self, layers: Sequence[int]) -> bytes:
        """The whole graph."""
        texts = ("texts", "tokens")
        inputs = [onnx_file.value(f, np.int64, texts) for f in ("input_ids", "attention_mask")]
        self._embeddings(layers)
        width = self._weights[_WORDS].shape[1] * len(layers)
        output = onnx_file.value("embeddings", np.float32, ("texts", width))
        return onnx_file.model(self._nodes, list(self._constants.values()), inputs, [output])

    def _embeddings(self, layers: Sequence[int]) -> None:
        # What padding is, in the two shapes that are asked for: attention's, and a factor.
        seen = self._node("Cast", "attention_mask", to=onnx_file.type_number(np.int32))
        factor = self._node("Cast", "attention_mask", to=onnx_file.type_number(np.float32))
        factor = self._node("Unsqueeze", factor, self._numbered("last", 2))
        states, parts = self._tokens(), []
        for layer in range(max(layers)):
            states = self._layer(f"encoder.layer.{layer}.", states, seen)
            if layer + 1 in layers:
                own = self._node("Mul", states, factor)
                total = self._node("ReduceSum", own, self._numbered("tokens", 1), keepdims=0)
                # Of length 1, so that it doesn't matter by how many tokens the sum is divided.
                length = self._node("ReduceL2", total, axes=[1], keepdims=1)
                parts.append(self._node("Div", total, length))
        self._node("Concat", *parts, axis=1, output="embeddings")

    def _tokens(self) -> str:
        words = self._node("Gather", self._constant("words", self._weights[_WORDS]), "input_ids")
        # All tokens are of the first type, so that its row is part of every position's.
        positions = self._constant(
            "positions", self._weights[_POSITIONS] + self._weights[_TYPES][0]
        )
        shape = self._node("Shape", "input_ids")
        length = self._node("Gather", shape, self._numbered("tokens", 1))
        positions = self._node("Slice", positions, self._numbered("first", 0), length)
        return self._normal("embeddings.LayerNorm", self._node("Add", words, positions))

    def _layer(self, name: str, states: str, seen: str) -> str:
        asked = [self._dense(f"{name}attention.self.{part}", states) for part in _ATTENTION]
        found = self._node(
            "MultiHeadAttention", *asked, "", seen, domain=RUNTIME, num_heads=self._heads
        )
        found = self._dense(f"{name}attention.output.dense", found)
        found = self._node("Add", found, states)
        states = self._normal(f"{name}attention.output.LayerNorm", found)
        hidden = self._dense(f"{name}intermediate.dense", states)
        hidden = self._node("Gelu", hidden, domain=RUNTIME)
        hidden = self._dense(f"{name}output.dense", hidden)
        return self._normal(f"{name}output.LayerNorm", self._node("Add", hidden, states))

    def _dense(self, name: str, value: str) -> str:
        weights = self._constant(f"{name}.weight", self._weights[f"{name}.weight"].T)
        bias = self._constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self._node("Add", self._node("MatMul", value, weights), bias)

    def _normal(self, name: str, value: str) -> str:
        names = (f"{name}.weight", f"{name}.bias")
        scale, bias = (self._constant(each, self._weights[each]) for each in names)
        return self._node("LayerNormalization", value, scale, bias, axis=-1, epsilon=self._epsilon)

    def _numbered(self, name: str, number: int) -> str:
        return self._constant(name, np.array([number], np.int64))

    def _constant(self, name: str, array: npt.NDArray[Any]) -> str:
        self._constants[name] = onnx_file.constant(name, array)
        return name

    def _node(
        self, kind: str, *inputs: str, domain: str = "", output: str | None = None, **given: Any
    ) -> str:
        name = output or f"{kind}_{next(self._numbers)}"
        self._nodes.append(onnx_file.node(kind, inputs, name, domain, given))
        return name
