"""A pretrained sentence encoder, for training: what a version gets of it, and embeddings."""

import json
from collections.abc import Sequence

import numpy as np

from streamer.backends.features import Floats
from streamer.backends.sentence_encoder import TOKENIZER, SentenceEncoder
from streamer.errors import ConfigError
from streamer.judging.classifier.encoder import Encoder
from streamer.learn.kinds.bert_graph import bert_graph


class Pretrained:
    """`graph` (ONNX) and `tokenizer` are the files of a version; each text is embedded once."""

    def __init__(self, encoder: Encoder) -> None:
        """Raises `ConfigError` for a folder whose encoder is none that can be served."""
        self.graph = bert_graph(encoder.folder, encoder.layers)
        self.tokenizer = _tokenizer(encoder)
        # One thread: as many workers are trained at once as there are cores.
        self._encoder = SentenceEncoder(self.graph, self.tokenizer, threads=1)
        self._known: dict[str, Floats] = {}

    def embeddings(self, texts: Sequence[str]) -> Floats:
        """float32 [N, D]."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.embeddings(new), strict=True))
        rows = [self._known[text] for text in texts]
        return np.array(rows, np.float32).reshape(len(rows), self._encoder.dimensions)


def _tokenizer(encoder: Encoder) -> bytes:
    from tokenizers import Tokenizer

    file = encoder.folder / TOKENIZER
    if not file.is_file():
        raise ConfigError(f"{file} is missing: put the encoder's fast tokenizer there")
    made = Tokenizer.from_file(str(file))
    known = json.loads((encoder.folder / "config.json").read_bytes())["vocab_size"]
    if made.get_vocab_size() > known:
        raise ConfigError(
            f"{file} has {made.get_vocab_size()} tokens, and the encoder knows {known}: put the"
            " tokenizer there that belongs to it"
        )
    made.enable_truncation(encoder.max_tokens)
    made.no_padding()
    written: str = made.to_str()
    return written.encode()
