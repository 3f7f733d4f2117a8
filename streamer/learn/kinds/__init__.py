"""The kinds of worker that this project trains: each has a module here and a Triton backend."""

from streamer.learn.kinds.kind import Kind
from streamer.learn.kinds.linear import char_ngrams, word_ngrams
from streamer.learn.kinds.subword_net import SubwordNet

KINDS: dict[str, Kind] = {kind.name: kind for kind in (word_ngrams(), char_ngrams(), SubwordNet())}
