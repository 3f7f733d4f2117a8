"""The small judge's tokenizer and chat template, made of the texts that it is to read."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

END = "<|endoftext|>"
_SPECIAL = (END, "<|im_start|>", "<|im_end|>")
_TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
# Often enough that a code becomes one token, and every word of a prompt too.
_CODE_WEIGHT = 500
_PROMPT_WEIGHT = 50


def save_tokenizer(
    folder: Path,
    texts: Iterable[str],
    prompts: Sequence[str],
    codes: Sequence[str],
    size: int,
) -> None:
    """Write tokenizer.json and tokenizer_config.json of a byte-level BPE with `size` tokens.

    Case is dropped: a few thousand tickets are too few to learn a word twice. `codes` and what
    `prompts` say in front of every ticket become few tokens, whatever the tickets look like.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    read = [*texts, *[*prompts] * _PROMPT_WEIGHT, *[*codes] * _CODE_WEIGHT]
    tokenizer.train_from_iterator(read, trainer)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "chat_template": _TEMPLATE,
    }
    (folder / "tokenizer.json").write_text(str(tokenizer.to_str()), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
