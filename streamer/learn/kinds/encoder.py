"""The encoder worker: a linear head over the embeddings of a pretrained sentence encoder."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType

from streamer.backends import encoder_model, sentence_encoder
from streamer.backends.artefact import save_arrays
from streamer.backends.encoder_model import ARRAYS, EncoderModel
from streamer.backends.features import Floats
from streamer.backends.sentence_encoder import GRAPH, TOKENIZER
from streamer.errors import ConfigError
from streamer.judging.classifier.encoder import Encoder
from streamer.learn.kinds import bert_graph, fitting, onnx_file, pretrained, safetensors
from streamer.learn.kinds.fitting import Linear
from streamer.learn.kinds.kind import Settings, Targets
from streamer.learn.kinds.pretrained import Pretrained

_NEEDED = ("onnxruntime", "tokenizers")


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """A head in memory, and the encoder that goes with it into a version."""

    model: EncoderModel
    pretrained: Pretrained

    @property
    def size(self) -> int:
        return self.model.size

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1."""
        return self.model.probabilities(texts)

    def save(self, folder: Path) -> None:
        """Write encoder and head, so that a version needs nothing beside it."""
        (folder / GRAPH).write_bytes(self.pretrained.graph)
        (folder / TOKENIZER).write_bytes(self.pretrained.tokenizer)
        arrays = (self.model.weights, self.model.bias)
        save_arrays(folder, dict(zip(ARRAYS, arrays, strict=True)))


@dataclass(frozen=True)
class EncoderKind:
    """The encoder lies in `folder`; without one it is that of the package (MiniLM-L6)."""

    folder: Path | None = None
    name: str = "encoder"

    @property
    def modules(self) -> Sequence[ModuleType]:
        own = (bert_graph, fitting, onnx_file, pretrained, safetensors)
        return (encoder_model, sentence_encoder, *own)

    @property
    def most_rows(self) -> int:
        """A ticket takes a hundred times as long as one of n-grams: calls must end in time."""
        return 32

    def base(self) -> str:
        """As `Kind.base`."""
        if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
            raise ConfigError(
                f"a worker of kind encoder needs {' and '.join(missing)}: install streamer[encoder]"
            )
        return self._encoder.digest

    def tune(self, train: Targets, held_out: Targets, seed: int) -> tuple[TrainedEncoder, Settings]:
        """Choose the penalty, and the temperature that makes its probabilities honest."""
        rows, held = map(self._pretrained.embeddings, (train.texts, held_out.texts))
        tuned = fitting.tune(rows, train, held, held_out)
        settings = {"penalty": tuned.penalty, "temperature": tuned.model.temperature}
        return self._trained(tuned.model), settings

    def fit(self, targets: Targets, settings: Settings, seed: int) -> TrainedEncoder:
        """Train on all of `targets`."""
        rows = self._pretrained.embeddings(targets.texts)
        fitted = fitting.fit(rows, targets, settings["penalty"])
        return self._trained(replace(fitted, temperature=settings["temperature"]))

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder.packaged() if self.folder is None else Encoder.at(self.folder)

    @cached_property
    def _pretrained(self) -> Pretrained:
        return Pretrained(self._encoder)

    def _trained(self, linear: Linear) -> TrainedEncoder:
        weights, bias = linear.weights / linear.temperature, linear.bias / linear.temperature
        return TrainedEncoder(EncoderModel(self._pretrained, weights, bias), self._pretrained)
