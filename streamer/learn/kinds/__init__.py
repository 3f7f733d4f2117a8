"""The kinds of worker that this project trains: each has a module here and a Triton backend."""

from dataclasses import replace
from pathlib import Path

from streamer.learn.kinds.encoder import EncoderKind
from streamer.learn.kinds.kind import Kind
from streamer.learn.kinds.linear import char_ngrams, word_ngrams
from streamer.learn.kinds.subword_net import SubwordNet

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (word_ngrams(), char_ngrams(), SubwordNet(), EncoderKind())
}


def kind_of(name: str, encoder: Path | None = None) -> Kind:
    """The kind of this name; one that stands on a pretrained encoder takes that of the folder."""
    kind = KINDS[name]
    return replace(kind, folder=encoder) if isinstance(kind, EncoderKind) else kind
