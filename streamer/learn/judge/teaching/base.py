"""The language model that is taught: which of its weights learn, and how it is written again."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.errors import ConfigError, in_words
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.llm.chat import Chat

# What changes the scores behind the last product, and would have to be learnt with.
_SCALED = ("final_logit_softcapping", "logit_scale", "logits_scaling")
_WEIGHTS = (".safetensors", ".safetensors.index.json")


@dataclass(frozen=True)
class Base:
    """The model in `folder`, of which the last `layers` learn and all else stays as it is."""

    files: ModelFolder
    layers: int

    @classmethod
    def at(cls, folder: Path, layers: int) -> "Base":
        """Raises `ConfigError` where the folder holds no model."""
        return cls(ModelFolder.at(folder), layers)

    @property
    def digest(self) -> str:
        return self.files.digest

    def chat(self) -> Chat:
        """Raises `ConfigError` where the folder holds no tokenizer or no chat template."""
        return Chat.at(self.files.folder)

    def network(self) -> Any:
        """The model in float32, from files that hold numbers only; what doesn't learn is frozen.

        Raises `ConfigError` where transformers can't load it, or it has fewer layers.
        """
        import torch
        from transformers import AutoModelForCausalLM

        try:
            network = AutoModelForCausalLM.from_pretrained(
                str(self.files.folder),
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
            )
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"{self.files.folder} can't be taught ({in_words(error)}): name a folder in "
                "Hugging Face layout whose model transformers knows"
            ) from error
        network.requires_grad_(False)
        for part in self._learning(network):
            part.requires_grad_(True)
        return network

    def _learning(self, network: Any) -> list[Any]:
        """The last layers, and the norm behind them."""
        decoder = network.get_decoder()
        layers, norm = (getattr(decoder, name, None) for name in ("layers", "norm"))
        config = network.config.get_text_config()
        if layers is None or norm is None or any(getattr(config, name, None) for name in _SCALED):
            raise ConfigError(
                f"{self.files.folder} can't be taught ({type(network).__name__}): take a model of "
                "the Llama, Qwen, Mistral or Gemma 3 family"
            )
        if not 0 < self.layers <= len(layers):
            raise ConfigError(f"{self.files.folder} has {len(layers)} layers: give --layers fewer")
        return [*layers[-self.layers :], norm]

    def write(self, network: Any, folder: Path) -> None:
        """The whole model into `folder`, in the base's own precision, with all that lies beside it.

        Rounds the weights of `network` to that precision.
        """
        import torch

        precision = getattr(torch, str(_told(self.files.config, "dtype", "torch_dtype")))
        network.to(precision).save_pretrained(folder)
        network.to(torch.float32)
        for file in self.files.folder.iterdir():
            beside = file.is_file() and not file.name.endswith(_WEIGHTS)
            if beside and not (folder / file.name).exists():
                shutil.copyfile(file, folder / file.name)


def learnt(network: Any) -> dict[str, Any]:
    """The parameters that learn, by their names."""
    named = network.named_parameters()
    return {name: weights for name, weights in named if weights.requires_grad}


def _told(config: Mapping[str, Any], *names: str) -> Any:
    """A precision's name; float32 where the configuration has none."""
    return next((config[name] for name in names if config.get(name)), "float32")
