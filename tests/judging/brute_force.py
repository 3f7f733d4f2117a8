"""The probabilities over labels as anybody would compute them: whole forward passes, no cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from streamer.judging.llm.answering import ByCode
from streamer.judging.llm.prepared_prompt import PreparedPrompt

_AT_ONCE = 16


class BruteForce:
    """A causal model run by transformers in float32."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM

        self._model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
        self._model.eval()

    def scores(self, asked: PreparedPrompt, text: str) -> np.ndarray:
        """Log-probabilities [K] of the labels, over everything that could be answered."""
        [ticket] = asked.chat_prompt.encode([text])
        if isinstance(asked.answering, ByCode):
            [[every]] = self._after([ticket.ids], 1)
            return every[list(asked.answering.codes.ids)].numpy()
        chat = asked.chat_prompt.chat
        names = [(*chat.answer(name), chat.frame.end) for name in asked.prompt.label_set.labels]
        some = [names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE)]
        return np.concatenate([self._teacher_forced(ticket.ids, part) for part in some])

    def likeliest(self, prompt: list[int]) -> int:
        """The token that most likely comes next."""
        [[every]] = self._after([prompt], 1)
        return int(every.argmax())

    def _teacher_forced(self, prompt: list[int], answers: Sequence[Sequence[int]]) -> np.ndarray:
        longest = max(map(len, answers))
        # What stands after an answer changes nothing before it: the model looks back only.
        rows = [[*prompt, *answer, *[0] * (longest - len(answer))] for answer in answers]
        after = self._after(rows, longest + 1)
        return np.array(
            [
                sum(float(found[place][token]) for place, token in enumerate(answer))
                for found, answer in zip(after, answers, strict=True)
            ]
        )

    def _after(self, rows: Sequence[list[int]], last: int) -> torch.Tensor:
        """float64 log-probabilities [rows, last, vocabulary] of what follows the last tokens."""
        with torch.inference_mode():
            logits = self._model(torch.tensor(rows), logits_to_keep=last).logits
        return torch.log_softmax(logits.double(), dim=-1)


def softmax(scores: np.ndarray) -> np.ndarray:
    """The softmax over labels."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
