"""The graph that ONNX Runtime runs, beside the same encoder in plain NumPy."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf
from tokenizers import Tokenizer

from streamer.errors import ConfigError
from streamer.judging.classifier.encoder import Encoder
from streamer.learn.kinds.bert_graph import bert_graph
from streamer.learn.kinds.pretrained import Pretrained
from streamer.learn.kinds.safetensors import read_safetensors
from tests.learn.material import made_up
from tests.learn.tiny_encoder import HEADS, MAX_TOKENS, WIDTH, tiny_encoder, write_encoder

TEXTS = [*made_up(40).texts, "", "refund", "refund login " * 60, "\U0001f600 \ud800 parcel"]


def by_hand(folder: Path, ids: list[int], layers: tuple[int, ...]) -> np.ndarray:
    """Devlin et al. 2019, one text at a time and without padding."""
    w = read_safetensors(folder / "model.safetensors")

    def normal(name: str, x: np.ndarray) -> np.ndarray:
        x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-12)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def heads(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(ids), HEADS, WIDTH // HEADS).transpose(1, 0, 2)

    places = w["embeddings.position_embeddings.weight"][: len(ids)]
    kinds = w["embeddings.token_type_embeddings.weight"][0]
    x = normal("embeddings.LayerNorm", w["embeddings.word_embeddings.weight"][ids] + places + kinds)
    parts = []
    for number in range(max(layers)):
        name = f"encoder.layer.{number}."
        q, k, v = (heads(dense(f"{name}attention.self.{p}", x)) for p in ("query", "key", "value"))
        scores = np.exp(q @ k.transpose(0, 2, 1) / np.sqrt(WIDTH // HEADS))
        seen = (scores / scores.sum(axis=2, keepdims=True)) @ v
        seen = seen.transpose(1, 0, 2).reshape(len(ids), WIDTH)
        x = normal(
            f"{name}attention.output.LayerNorm", dense(f"{name}attention.output.dense", seen) + x
        )
        hidden = dense(f"{name}intermediate.dense", x)
        hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
        x = normal(f"{name}output.LayerNorm", dense(f"{name}output.dense", hidden) + x)
        if number + 1 in layers:
            mean = x.mean(axis=0)
            parts.append(mean / np.linalg.norm(mean))
    return np.concatenate(parts)


def test_embeddings_are_those_of_the_formulas_whatever_stands_beside() -> None:
    folder = tiny_encoder()
    encoder = Encoder.at(folder)
    assert encoder.layers == (2, 3)
    found = Pretrained(encoder).embeddings(TEXTS)
    assert found.dtype == np.float32
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    for text, row in zip(TEXTS, found, strict=True):
        ids = tokenizer.encode(text.encode("utf-8", "replace").decode()).ids
        np.testing.assert_allclose(row, by_hand(folder, ids, encoder.layers), atol=2e-6)


def test_names_of_a_model_that_was_trained_for_masks_are_understood(tmp_path: Path) -> None:
    write_encoder(tmp_path)
    plain = bert_graph(tmp_path, (2, 3))
    arrays = read_safetensors(tmp_path / "model.safetensors")
    write_encoder(tmp_path, prefix="bert.")
    assert {f"bert.{name}" for name in arrays} == set(
        read_safetensors(tmp_path / "model.safetensors")
    )
    assert bert_graph(tmp_path, (2, 3)) == plain


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_type", "roberta"),
        ("hidden_act", "relu"),
        ("position_embedding_type", "relative_key"),
    ],
)
def test_another_architecture_is_refused_by_name(tmp_path: Path, key: str, value: str) -> None:
    write_encoder(tmp_path, **{key: value})
    with pytest.raises(ConfigError, match=f"{key} is {value}"):
        bert_graph(tmp_path, (2, 3))


def test_an_encoder_that_lacks_a_layer_is_refused(tmp_path: Path) -> None:
    write_encoder(tmp_path)
    with pytest.raises(ConfigError, match=r"lacks 'encoder\.layer\.3\."):
        bert_graph(tmp_path, (4,))
