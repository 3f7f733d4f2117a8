"""The ONNX layout: read by Triton's own protobuf, and served by the real Triton.

The wheel's Triton has no ONNX Runtime, so a Python model of the same inputs and outputs stands for
the net; the tokenizer's step, the ensemble and the label names are those of the repository.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.workers.handshake import handshake
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from tests.k8s.chart import ROOT
from tests.waiting import eventually

LAYOUT = ROOT / "k8s" / "onnx"
WORKER, TOKENS, NET = "intent_onnx", "intent_onnx_tokens", "intent_onnx_net"
LABELS = yaml.safe_load((ROOT / "streamer.yaml").read_text())["tasks"]["intent"]["labels"]
WORDS = ("[PAD]", "[UNK]", "refund", "invoice", "crash", "please")
TEXTS = (b"refund please", b"", b"\xff crash", b"invoice " * 40, b"please " * 5000)

# The probability of label i is the share of the text's tokens that are word i, and one more each.
STAND_IN = """\
import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def execute(self, requests):
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        ids = pb_utils.get_input_tensor_by_name(request, "input_ids").as_numpy()
        mask = pb_utils.get_input_tensor_by_name(request, "attention_mask").as_numpy()
        counts = ((ids[:, :, None] == np.arange(10)) * mask[:, :, None]).sum(axis=1) + 1
        probs = (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
        pb_utils.Logger.log_info(f"shape {ids.shape}")
        return pb_utils.InferenceResponse([pb_utils.Tensor("probs", probs)])
"""


def config(name: str) -> model_config_pb2.ModelConfig:
    text = (LAYOUT / name / "config.pbtxt").read_text()
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def signature(tensors: object) -> dict[str, tuple[int, tuple[int, ...]]]:
    return {one.name: (one.data_type, tuple(one.dims)) for one in tensors}


def test_the_ensemble_joins_tensors_of_one_type_and_shape() -> None:
    ensemble = config(WORKER)
    known = signature(ensemble.input)
    for step in ensemble.ensemble_scheduling.step:
        model = config(step.model_name)
        assert model.name == step.model_name
        assert model.max_batch_size >= ensemble.max_batch_size
        inputs, outputs = signature(model.input), signature(model.output)
        assert set(step.input_map) == set(inputs)
        assert set(step.output_map) == set(outputs)
        assert {key: known[name] for key, name in step.input_map.items()} == inputs
        known |= {name: outputs[key] for key, name in step.output_map.items()}
    (output,) = ensemble.output
    assert known[output.name] == signature([output])[output.name]
    labels = (LAYOUT / WORKER / output.label_filename).read_text().splitlines()
    assert labels == LABELS
    assert list(output.dims) == [len(labels)]
    # As many tickets as classify may send at once.
    assert ensemble.max_batch_size == 4096


def test_no_model_has_a_queue_policy_that_stalls() -> None:
    for name in (WORKER, TOKENS, NET):
        made = config(name).dynamic_batching
        assert made == model_config_pb2.ModelDynamicBatching()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout, made to serve by the steps of its README, but for the net."""
    folder = tmp_path_factory.mktemp("onnx") / "models"
    shutil.copytree(LAYOUT, folder, ignore=shutil.ignore_patterns("README.md"))
    tokenizer(folder / TOKENS / "1" / "tokenizer.json")
    install = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--no-deps"]
    install += ["--require-hashes", "--target", folder / TOKENS / "1"]
    install += ["--requirement", ROOT / "requirements" / "images" / "onnx.txt"]
    subprocess.run(install, check=True, timeout=120)
    net = folder / NET
    (net / "1" / "model.py").write_text(STAND_IN)
    text = (net / "config.pbtxt").read_text()
    assert text.count('backend: "onnxruntime"') == 1
    (net / "config.pbtxt").write_text(text.replace("onnxruntime", "python"))
    return folder


def tokenizer(path: Path) -> None:
    """Whole words, as the library writes them down."""
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    path.write_text(json.dumps({"model": model, "pre_tokenizer": {"type": "WhitespaceSplit"}}))


@pytest.fixture(scope="module")
def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """As in the chart: the ensemble alone is asked for."""
    ports = [free_port() for _ in range(3)]
    state = tmp_path_factory.mktemp("state")
    with Triton(
        state,
        repository,
        models=[WORKER],
        grpc_port=ports[0],
        http_port=ports[1],
        metrics_port=ports[2],
    ) as server:
        yield server


async def test_classify_meets_the_ensemble_and_gets_its_labels(triton: Triton) -> None:
    client = TritonClient(triton.url)
    try:
        assert (await handshake(client, WORKER, LABELS)).version == "1"
        with pytest.raises(ConfigError, match="first difference at position 8"):
            await handshake(client, WORKER, [*LABELS[:8], LABELS[9], LABELS[8]])
    finally:
        await client.close()


async def test_every_row_is_tokenised_by_itself(triton: Triton) -> None:
    client = TritonClient(triton.url)
    try:
        _, probs = await client.infer(WORKER, TextTensor(list(TEXTS)), 10)
    finally:
        await client.close()
    np.testing.assert_allclose(probs, expected(), atol=1e-6)
    # Padded to the length of the longest, which is cut at max_tokens.
    assert eventually(lambda: f"shape ({len(TEXTS)}, 256)" in triton.log.read_text())


async def test_short_texts_are_padded_to_one_of_few_lengths(triton: Triton) -> None:
    client = TritonClient(triton.url)
    try:
        _, probs = await client.infer(WORKER, TextTensor([TEXTS[0], TEXTS[3]]), 10)
    finally:
        await client.close()
    np.testing.assert_allclose(probs, expected()[[0, 3]], atol=1e-6)
    assert eventually(lambda: "shape (2, 64)" in triton.log.read_text())


def expected() -> np.ndarray:
    """The stand-in's answers, made from words that are counted here."""
    counts = np.ones((len(TEXTS), len(LABELS)))
    for row, text in enumerate(TEXTS):
        for word in text.decode("utf-8", "replace").split()[:256]:
            counts[row, WORDS.index(word) if word in WORDS else 1] += 1
    return counts / counts.sum(axis=1, keepdims=True)
