"""A sentence encoder with random weights, small enough to make in a test; nothing is downloaded."""

import atexit
import json
import shutil
import struct
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from streamer.learn.kinds import kind_of
from streamer.learn.kinds.kind import Kind
from tests.learn.align import planted
from tests.learn.material import made_up

WIDTH, DEPTH, HEADS, INNER, PLACES, MAX_TOKENS = 48, 3, 4, 64, 64, 48
SETTINGS = {"softness": 1.0, "factor": 2.0, "epochs": 3.0, "penalty": 0.1, "temperature": 1.0}
"""What fits of all kinds take."""

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def a_kind(name: str) -> Kind:
    """A kind as tests take it: on the tiny encoder, where it stands on one."""
    return kind_of(name, encoder_of(name))


def encoder_of(kind: str) -> Path | None:
    return tiny_encoder() if kind == "encoder" else None


@cache
def tiny_encoder() -> Path:
    """The folder of one, for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="tiny-encoder-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_encoder(folder)
    return folder


def write_encoder(folder: Path, seed: int = 1, prefix: str = "", **config: object) -> None:
    """The four files; `config` has other values for config.json."""
    tokenizer = _tokenizer()
    size = tokenizer.get_vocab_size()
    told = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": WIDTH,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": HEADS,
        "layer_norm_eps": 1e-12,
        "vocab_size": size,
    }
    (folder / "config.json").write_text(json.dumps(told | config))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": MAX_TOKENS}))
    tokenizer.save(str(folder / "tokenizer.json"))
    weights = {f"{prefix}{name}": array for name, array in _weights(size, seed).items()}
    write_safetensors(folder / "model.safetensors", weights)


def write_safetensors(path: Path, arrays: dict[str, np.ndarray], dtype: str = "F32") -> None:
    told, data, end = {}, [], 0
    for name, array in arrays.items():
        data.append(array.tobytes())
        span = [end, end := end + len(data[-1])]
        told[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": span}
    head = json.dumps({"__metadata__": {"format": "pt"}, **told}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(data))


def _tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=1000, special_tokens=SPECIAL, show_progress=False
    )
    random = np.random.default_rng(1)
    texts = [*made_up(300).texts, *planted.unsure(random, 300).texts]
    made.train_from_iterator(texts, trainer)
    ends = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=ends)
    return made


def _weights(vocabulary: int, seed: int) -> dict[str, np.ndarray]:
    """So that what a text's words are is what its embedding is mostly about."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, spread: float = WIDTH**-0.5) -> np.ndarray:
        return (random.standard_normal(shape) * spread).astype(np.float32)

    found = {
        "embeddings.word_embeddings.weight": normal(vocabulary, WIDTH, spread=1),
        "embeddings.position_embeddings.weight": normal(PLACES, WIDTH, spread=0.1),
        "embeddings.token_type_embeddings.weight": normal(2, WIDTH, spread=0.1),
    }
    norms, dense = ["embeddings.LayerNorm"], {}
    for layer in (f"encoder.layer.{number}." for number in range(DEPTH)):
        norms += [f"{layer}attention.output.LayerNorm", f"{layer}output.LayerNorm"]
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            dense[f"{layer}attention.{part}"] = (WIDTH, WIDTH)
        dense[f"{layer}intermediate.dense"] = (INNER, WIDTH)
        dense[f"{layer}output.dense"] = (WIDTH, INNER)
    for name in norms:
        found[f"{name}.weight"] = 1 + normal(WIDTH, spread=0.1)
        found[f"{name}.bias"] = normal(WIDTH, spread=0.1)
    for name, shape in dense.items():
        found[f"{name}.weight"] = normal(*shape)
        found[f"{name}.bias"] = normal(shape[0], spread=0.1)
    return found
