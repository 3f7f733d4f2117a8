"""A causal model with random weights and a tokenizer made on the spot: nothing is downloaded."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from string import ascii_letters, ascii_uppercase, digits
from typing import Literal

from streamer.judging.llm.prompt import Prompt
from streamer.records.labelset import LabelSet

TEMPLATE = """\
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and not enable_thinking %}<think>

</think>

{% else %}<think>
{% endif %}{% endif %}"""
SPOILT = "\N{SNOWMAN}"
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = (
    "the customer wants money back for an invoice that was charged twice",
    "where is my parcel and when does the courier come to the office",
    "the app crashes when I open the report since the update on Monday",
    "please label the ticket: account billing shipping technical refund and nothing else",
    "account_change billing_invoice bug_report data_export feature_request how_to performance",
)


def tokenizer_json(special: Sequence[str] = SPECIAL) -> str:
    """Byte-level BPE in which every pair of letters and digits is a token."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pairs = ["".join(pair) for pair in product(ascii_uppercase, ascii_letters + digits)]
    tokenizer.train_from_iterator([*WORDS * 50, *pairs * 20], trainer)
    # As in models that think: marks of the template that are not special.
    tokenizer.add_tokens([AddedToken(mark, special=False) for mark in ("<think>", "</think>")])
    return str(tokenizer.to_str())


def save_tokenizer(
    folder: Path, template: str = TEMPLATE, tokenizer: str | None = None, **config: str
) -> None:
    """tokenizer.json with a chat template, as a model's folder has them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer or tokenizer_json())
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|endoftext|>",
        "chat_template": template,
        **config,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def save_model(folder: Path, *, seed: int = 7, width: int = 64, layers: int = 2) -> None:
    """Random float32 weights, wide enough apart that scores differ."""
    import torch
    from tokenizers import Tokenizer
    from transformers import Qwen3Config, Qwen3ForCausalLM

    save_tokenizer(folder)
    vocabulary = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size()
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=8192,
        initializer_range=0.2,
        tie_word_embeddings=False,
        eos_token_id=0,
        bos_token_id=None,
        dtype="float32",
    )
    torch.manual_seed(seed)
    Qwen3ForCausalLM(config).to(torch.float32).save_pretrained(folder)


def spoil(folder: Path) -> None:
    """A text that holds `SPOILT` gets scores from the model that are no numbers."""
    from safetensors.numpy import load_file, save_file
    from tokenizers import Tokenizer

    file = folder / "model.safetensors"
    weights = load_file(file)
    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(SPOILT).ids
    weights["model.embed_tokens.weight"][ids[-1]] = float("nan")
    save_file(weights, file, {"format": "pt"})


def make_prompt(count: int, task: str = "topic", *, examples: int = 2) -> Prompt:
    """A prompt with `count` labels, some of which begin or end like others."""
    words = ("account", "billing", "bug_report", "how_to", "refund", "shipping", "technical")
    names = [
        words[place % 7] if place < 7 else f"{words[place % 7]}_{place // 7}"
        for place in range(count)
    ]
    return Prompt(
        task=task,
        label_set=LabelSet(tuple(names)),
        instructions="You label the tickets of a help desk.",
        descriptions=tuple(f"tickets about {name.replace('_', ' ')}" for name in names),
        examples=tuple((WORDS[i], names[i % count]) for i in range(examples)),
    )


def save_classifier(
    folder: Path, kind: Literal["bert", "qwen3"], labels: Sequence[str], *, seed: int = 7
) -> None:
    """A classifier of random float32 weights, its outputs in the order of `labels`."""
    import torch
    from tokenizers import Tokenizer, processors
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        Qwen3Config,
        Qwen3ForSequenceClassification,
    )

    save_tokenizer(folder)
    file = str(folder / "tokenizer.json")
    tokenizer = Tokenizer.from_file(file)
    common = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "initializer_range": 0.2,
        "pad_token_id": 0,
        "id2label": dict(enumerate(labels)),
        "label2id": {label: place for place, label in enumerate(labels)},
        "dtype": "float32",
    }
    torch.manual_seed(seed)
    if kind == "bert":
        around = [(name, tokenizer.token_to_id(name)) for name in SPECIAL[1:]]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{SPECIAL[1]} $A {SPECIAL[2]}", special_tokens=around
        )
        tokenizer.save(file)
        model = BertForSequenceClassification(BertConfig(max_position_embeddings=128, **common))
    else:
        shape = {"num_key_value_heads": 1, "head_dim": 32, "max_position_embeddings": 4096}
        model = Qwen3ForSequenceClassification(Qwen3Config(**common, **shape))
    model.to(torch.float32).save_pretrained(folder)
