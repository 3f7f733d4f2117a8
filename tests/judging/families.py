"""How families of open models talk: their chat templates in short, and tokenizers like theirs."""

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from string import ascii_letters, ascii_uppercase, digits

from tests.judging.tiny import TEMPLATE, WORDS, save_tokenizer, tokenizer_json

_QWEN3 = """\
{% if messages[0].role == "system" %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif %}{% for message in messages %}{% if message.role == "user" %}<|im_start|>user
{{ message.content }}<|im_end|>
{% elif message.role == "assistant" %}<|im_start|>assistant
<think>

</think>

{{ message.content }}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}"""
# Thinks whatever it is told, and writes no thought of an earlier turn.
_R1 = """\
{{ bos_token }}{% for message in messages %}{% if message.role == "system" %}{{ message.content }}\
{% elif message.role == "user" %}<|User|>{{ message.content }}\
{% else %}<|Assistant|>{{ message.content }}<|eos|>{% endif %}{% endfor %}\
{% if add_generation_prompt %}<|Assistant|><think>
{% endif %}"""
_LLAMA3 = """\
{{- bos_token }}{% if not date_string is defined %}{% set date_string = strftime_now("%d %b %Y") %}\
{% endif %}{% if messages[0].role == "system" %}{% set system = messages[0].content | trim %}\
{% set messages = messages[1:] %}{% else %}{% set system = "" %}{% endif %}\
<|start_header_id|>system<|end_header_id|>

Cutting Knowledge Date: December 2023
Today Date: {{ date_string }}

{{ system }}<|eot_id|>{% for message in messages %}\
<|start_header_id|>{{ message.role }}<|end_header_id|>

{{ message.content | trim }}<|eot_id|>{% endfor %}\
{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}"""
_GEMMA2 = """\
{{ bos_token }}{% if messages[0].role == "system" %}\
{{ raise_exception("System role not supported") }}{% endif %}{% for message in messages %}\
{% set role = "model" if message.role == "assistant" else message.role %}<start_of_turn>{{ role }}
{{ message.content | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}"""
_GEMMA3 = """\
{{ bos_token }}{% if messages[0].role == "system" %}\
{% set first = messages[0].content + "\\n\\n" %}{% set messages = messages[1:] %}\
{% else %}{% set first = "" %}{% endif %}{% for message in messages %}\
{% if (message.role == "user") != (loop.index0 % 2 == 0) %}\
{{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}\
{% endif %}{% set role = "model" if message.role == "assistant" else message.role %}\
<start_of_turn>{{ role }}
{{ first if loop.first else "" }}{{ message.content | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}"""
_MISTRAL = """\
{{- bos_token }}{% if messages[0].role == "system" %}\
[SYSTEM_PROMPT]{{ messages[0].content }}[/SYSTEM_PROMPT]{% set messages = messages[1:] %}\
{% else %}[SYSTEM_PROMPT]The current date is {{ strftime_now("%Y-%m-%d") }}[/SYSTEM_PROMPT]\
{% endif %}{% for message in messages %}{% if message.role == "user" %}\
[INST]{{ message.content }}[/INST]{% else %}{{ message.content + eos_token }}{% endif %}\
{% endfor %}"""
_PHI3 = """\
{% for message in messages %}<|{{ message.role }}|>
{{ message.content }}<|end|>
{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% else %}{{ eos_token }}{% endif %}"""
_HARMONY = """\
<|start|>system<|message|>You are a large language model.
Knowledge cutoff: 2024-06
Current date: {{ strftime_now("%Y-%m-%d") }}

Reasoning: {{ reasoning_effort | default("medium") }}

# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>\
{% for message in messages %}{% if message.role == "system" %}\
<|start|>developer<|message|># Instructions

{{ message.content }}<|end|>{% elif message.role == "user" %}\
<|start|>user<|message|>{{ message.content }}<|end|>\
{% elif loop.last and not add_generation_prompt %}\
<|start|>assistant<|channel|>final<|message|>{{ message.content }}<|return|>{% else %}\
<|start|>assistant<|channel|>final<|message|>{{ message.content }}<|end|>{% endif %}{% endfor %}\
{% if add_generation_prompt %}<|start|>assistant{% endif %}"""

_CHATML = ("<|endoftext|>", "<|im_end|>", "<|im_start|>", "<think>", "</think>")
_TURNS = ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>")
_PIECE = "\u2581"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """`answer` is what stands between a user's text and the model's answer, `end` what follows it.

    Of its `special` tokens the first begins a text and the second ends one. `pieces` are tokens
    that begin with a mark for the space before them, as SentencePiece has them; `prepended` where
    the first word of a text has that mark too.
    """

    template: str
    special: tuple[str, ...]
    answer: str
    end: str
    pieces: bool = False
    prepended: bool = False

    def save_tokenizer(self, folder: Path) -> None:
        """Into a model's folder."""
        made = _pieces(self) if self.pieces else tokenizer_json(self.special)
        begin, stop = self.special[:2]
        save_tokenizer(folder, self.template, made, bos_token=begin, eos_token=stop)


FAMILIES = {
    "chatml": Family(
        template=TEMPLATE,
        special=_CHATML,
        answer="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        end="<|im_end|>",
    ),
    "qwen3": Family(
        template=_QWEN3,
        special=_CHATML,
        answer="<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
        end="<|im_end|>",
    ),
    "r1": Family(
        template=_R1,
        special=("<|bos|>", "<|eos|>", "<|User|>", "<|Assistant|>", "<think>", "</think>"),
        answer="<|Assistant|><think>\n\n</think>\n\n",
        end="<|eos|>",
    ),
    "llama3": Family(
        template=_LLAMA3,
        special=("<|begin|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
        answer="<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        end="<|eot_id|>",
    ),
    "gemma2": Family(
        template=_GEMMA2,
        special=_TURNS,
        answer="<end_of_turn>\n<start_of_turn>model\n",
        end="<end_of_turn>",
        pieces=True,
    ),
    "gemma3": Family(
        template=_GEMMA3,
        special=_TURNS,
        answer="<end_of_turn>\n<start_of_turn>model\n",
        end="<end_of_turn>",
        pieces=True,
    ),
    "mistral": Family(
        template=_MISTRAL,
        special=("<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        answer="[/INST]",
        end="</s>",
        pieces=True,
        prepended=True,
    ),
    "phi3": Family(
        template=_PHI3,
        special=("<s>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        answer="<|end|>\n<|assistant|>\n",
        end="<|end|>",
        pieces=True,
        prepended=True,
    ),
    "harmony": Family(
        template=_HARMONY,
        special=(
            *("<|startoftext|>", "<|return|>", "<|start|>", "<|message|>", "<|end|>"),
            "<|channel|>",
        ),
        answer="<|end|><|start|>assistant<|channel|>final<|message|>",
        end="<|return|>",
    ),
}


ARCHITECTURES = {
    "llama3": "Llama",
    "qwen3": "Qwen3",
    "gemma3": "Gemma3Text",
    "mistral": "Mistral",
    "phi3": "Phi3",
    "harmony": "GptOss",
}
"""Families whose models are made here, by what transformers calls them."""


def save_family(folder: Path, name: str, *, seed: int = 7) -> None:
    """A whole model of random float32 weights, wide enough apart that scores differ."""
    import torch
    import transformers
    from tokenizers import Tokenizer

    FAMILIES[name].save_tokenizer(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    begin, stop = (tokenizer.token_to_id(mark) for mark in FAMILIES[name].special[:2])
    shape = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "max_position_embeddings": 4096,
        "initializer_range": 0.2,
        "tie_word_embeddings": False,
        "bos_token_id": begin,
        "eos_token_id": stop,
        "pad_token_id": begin,
        "dtype": "float32",
    }
    # vLLM would take others at their word too, and transformers would not.
    if name in ("gemma3", "mistral", "harmony"):
        shape["sliding_window"] = 128
    if name == "harmony":
        shape |= {"num_local_experts": 4, "num_experts_per_tok": 2}
    config = getattr(transformers, f"{ARCHITECTURES[name]}Config")(**shape)
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.to(torch.float32).save_pretrained(folder)


def _pieces(family: Family) -> str:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    marked = normalizers.Replace(" ", _PIECE)
    first = normalizers.Prepend(_PIECE)
    tokenizer.normalizer = normalizers.Sequence([first, marked]) if family.prepended else marked
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_PIECE, "merged_with_next")
    spaces = decoders.Replace(_PIECE, " ")
    tokenizer.decoder = decoders.Sequence([spaces, decoders.ByteFallback(), decoders.Fuse()])
    octets = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=6000, special_tokens=[*family.special, "<unk>", *octets], show_progress=False
    )
    pairs = ["".join(pair) for pair in product(ascii_uppercase, ascii_letters + digits)]
    letters = [*ascii_letters, *digits, *pairs] * 20
    tokenizer.train_from_iterator([*WORDS * 50, *letters, "\n\n\n"], trainer)
    made = json.loads(tokenizer.to_str())
    # Bytes are what is written where there is no token for it, and no marks of a template.
    made["added_tokens"] = [one for one in made["added_tokens"] if one["content"] not in octets]
    return json.dumps(made)
