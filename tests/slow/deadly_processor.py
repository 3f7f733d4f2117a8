"""Ends vLLM's engine from inside, in the step that computes a deadly text, as a kernel might."""

import os
import signal
from pathlib import Path

import torch
from tokenizers import Tokenizer
from vllm.config import VllmConfig
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor

from tests.slow.deadly_text import KILLED, RAISED


class DeadlyText(LogitsProcessor):
    """Changes no answer; a prompt with `KILLED` or `RAISED` in it gets none."""

    def __init__(self, vllm_config: VllmConfig, device: torch.device, is_pin_memory: bool) -> None:
        folder = Path(vllm_config.model_config.model)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        for _, _, prompt, _ in batch_update.added if batch_update else ():
            said = self._tokenizer.decode(prompt or [])
            if KILLED in said:
                os.kill(os.getpid(), signal.SIGKILL)
            if RAISED in said:
                raise MemoryError("as it were")

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        return logits

    def is_argmax_invariant(self) -> bool:
        return True
