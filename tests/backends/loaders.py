"""How the Triton backend of each kind loads a version, for tests that compare with it."""

from functools import partial

from streamer.backends.encoder_model import EncoderModel
from streamer.backends.linear import LinearModel
from streamer.backends.net import NetModel
from streamer.backends.ngrams import chars, pieces, words

LOADERS = {
    "word_ngrams": partial(LinearModel.load, extract=words),
    "char_ngrams": partial(LinearModel.load, extract=chars),
    "subword_net": partial(NetModel.load, extract=pieces),
    "encoder": EncoderModel.load,
}

CLOSE = {"encoder": 1e-5}
"""By how much an answer may depend on the texts beside: 1e-6 where nothing is said."""
