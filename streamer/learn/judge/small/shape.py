"""How large the small judge is."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """A Qwen3 of `layers` layers, `width` numbers per token, and a vocabulary of `tokens`.

    Of the kinds that vLLM serves, Qwen3 normalises queries and keys, which keeps so small a model
    stable at the learning rates that it needs. Weights start with a variance of one over `width`:
    with Qwen3's own spread, which is for widths of thousands, this one had learnt a third as much
    after as many steps.
    """

    tokens: int = 3000
    width: int = 128
    layers: int = 3
    heads: int = 4
    inner: int = 320
    longest: int = 8192

    def network(self, vocabulary: int, seed: int) -> Any:
        """A `Qwen3ForCausalLM` in float32 with random weights; `vocabulary` tokens in fact."""
        import torch
        from transformers import Qwen3Config, Qwen3ForCausalLM

        torch.manual_seed(seed)
        config = Qwen3Config(
            vocab_size=vocabulary,
            hidden_size=self.width,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            head_dim=self.width // self.heads,
            max_position_embeddings=self.longest,
            initializer_range=self.width**-0.5,
            tie_word_embeddings=True,
            eos_token_id=0,
            bos_token_id=None,
            dtype="float32",
        )
        return Qwen3ForCausalLM(config).to(torch.float32)
