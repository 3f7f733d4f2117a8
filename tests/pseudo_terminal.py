"""Reading what a program shows at a pseudo-terminal."""

import os
from collections.abc import Iterator


def shown(terminal: int) -> Iterator[str]:
    """Piece by piece, until the program has closed its side."""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            return
        if not piece:
            return
        yield piece.decode(errors="replace")
