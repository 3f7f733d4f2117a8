"""A sentence encoder in ONNX Runtime: texts in, embeddings out.

<version>/encoder.onnx     token ids [N, T] and their mask to embeddings [N, D]
<version>/tokenizer.json   texts to token ids, cut to what the encoder reads
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streamer.backends.features import Floats
from streamer.backends.ngrams import MAX_CHARS
from streamer.errors import ModelError, in_words

GRAPH = "encoder.onnx"
TOKENIZER = "tokenizer.json"

_THREADS = 2
"""Several workers share a pod, and all cores of a node are not this pod's."""

_TOKENS = 512
"""Of one run, padding included: more are slower, since they leave the cores' caches."""


class SentenceEncoder:
    """An ONNX graph and its tokenizer; a text's embedding hardly depends on its neighbours (1e-6).

    Texts of like length run together, so that little is padding.
    """

    def __init__(self, graph: bytes | Path, tokenizer: bytes, threads: int) -> None:
        """Raises ModelError where this Python lacks a package or can't read one of the two."""
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as refusals
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelError(
                f"a worker of kind encoder needs onnxruntime and tokenizers ({in_words(error)}):"
                " install streamer[encoder] for the Python that Triton's backend runs"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin would take the cores of the workers beside.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Each shape would have one that is never forgotten.
        options.enable_mem_pattern = False
        source = graph if isinstance(graph, bytes) else str(graph)
        try:
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
            self._session = onnxruntime.InferenceSession(
                source, options, providers=["CPUExecutionProvider"]
            )
        except (
            ValueError,  # the tokenizer's
            refusals.Fail,
            refusals.InvalidArgument,
            refusals.InvalidGraph,
            refusals.InvalidProtobuf,
            refusals.NoSuchFile,
            refusals.NotImplemented,
            refusals.RuntimeException,
        ) as error:
            raise ModelError(f"no sentence encoder ({error}); train this worker again") from error
        self._tokenizer.no_padding()
        # A ticket that says "[SEP]" means these five characters, not the end of the text.
        self._tokenizer.encode_special_tokens = True
        self.dimensions = int(self._session.get_outputs()[0].shape[1])

    @classmethod
    def load(cls, folder: Path) -> "SentenceEncoder":
        """Raises ModelError where a file is missing or damaged."""
        try:
            tokenizer = (folder / TOKENIZER).read_bytes()
        except OSError as error:
            raise ModelError(
                f"can't load {folder / TOKENIZER}: {in_words(error)}; train this worker again"
            ) from error
        return cls(folder / GRAPH, tokenizer, _THREADS)

    def embeddings(self, texts: Sequence[str]) -> Floats:
        """float32 [N, D]."""
        # Half a surrogate pair can't be tokenised.
        cut = [text[:MAX_CHARS].encode("utf-8", "replace").decode() for text in texts]
        # One by one: for a batch it would start a thread on every core.
        rows = [self._tokenizer.encode(text).ids for text in cut]
        found = np.empty((len(rows), self.dimensions), np.float32)
        for chosen in _portions(rows):
            found[chosen] = self._run([rows[index] for index in chosen])
        return found

    def _run(self, rows: Sequence[Sequence[int]]) -> Any:
        ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        return self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]


def _portions(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Indices of the rows, the shortest first: `_TOKENS` with padding at a time, or one row."""
    portion: list[int] = []
    for index in sorted(range(len(rows)), key=lambda index: len(rows[index])):
        if portion and (len(portion) + 1) * len(rows[index]) > _TOKENS:
            yield portion
            portion = []
        portion.append(index)
    if portion:
        yield portion
