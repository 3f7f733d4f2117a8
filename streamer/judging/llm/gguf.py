"""Turns a GGUF file into a folder that vLLM reads.

    python -m streamer.judging.llm.gguf FILE FOLDER

It runs in the judge's environment, and needs the packages gguf and accelerate there. Weights of few
bits become bfloat16: with four bits the folder is three times as large, and answers like the file.
"""

import importlib.util
import sys
from pathlib import Path

from streamer.errors import ConfigError, StreamerError, in_words
from streamer.terminal import note

_MAGIC = b"GGUF"
_NEEDED = ("gguf", "accelerate")


def unpack(file: Path, folder: Path) -> None:
    """Write the model in `file`, with its tokenizer and chat template, to the new `folder`.

    Raises `ConfigError` where the file holds none, the folder holds anything, or a package is
    missing.
    """
    _check(file, folder)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    given = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        tokenizer = AutoTokenizer.from_pretrained(**given)
        model = AutoModelForCausalLM.from_pretrained(
            **given,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        raise ConfigError(
            f"transformers can't read {file} ({error}): take another file, or a model's own folder"
        ) from error
    # Else it would count as a file of few bits, which can't be saved.
    model.hf_quantizer, model.is_quantized = None, False
    vars(model.config).pop("quantization_config", None)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _check(file: Path, folder: Path) -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    try:
        with file.open("rb") as content:
            magic = content.read(len(_MAGIC))
    except OSError as error:
        raise ConfigError(f"can't read {file} ({in_words(error)}): correct the path") from error
    if magic != _MAGIC:
        raise ConfigError(f"{file} is no GGUF file: name one")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} holds something already: name another one")
    if missing:
        raise ConfigError(
            f"this environment lacks {' and '.join(missing)}, which only this needs: run "
            f"`uv pip install --python {sys.executable} {' '.join(missing)}`"
        )


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    try:
        if len(arguments) != 2:
            raise ConfigError("usage: python -m streamer.judging.llm.gguf FILE FOLDER")
        file, folder = map(Path, arguments)
        unpack(file, folder)
        note(f"wrote {folder}: write `judge: {{kind: llm, model: {folder}}}` into streamer.yaml")
    except StreamerError as error:
        note(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
