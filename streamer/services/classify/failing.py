"""Notices when most records die of one and the same reason, which can't be the records' fault."""

from collections import Counter, deque
from collections.abc import Mapping
from itertools import repeat
from operator import itemgetter

from streamer.errors import ConfigError

WINDOW = 200


class Failing:
    """Watches the last `WINDOW` records in a row, whatever batches they came in.

    At most the share `at_most` of them may die of one reason; 1 lets all die.
    """

    def __init__(self, at_most: float) -> None:
        self._most = at_most * WINDOW
        self._last: deque[str | None] = deque(maxlen=WINDOW)
        self._counts: Counter[str] = Counter()

    def look(self, died: Mapping[int, str], total: int) -> None:
        """Of `total` more records those at these indexes died, of these reasons.

        Raises `ConfigError` that names the reason where too many did.
        """
        if not died and not self._counts:
            self._last.extend(repeat(None, min(total, WINDOW)))
            return
        for index in range(total):
            self._take(died.get(index))

    def _take(self, reason: str | None) -> None:
        if len(self._last) == WINDOW:
            self._forget(self._last[0])
        self._last.append(reason)
        if reason is not None:
            self._counts[reason] += 1
        if len(self._last) == WINDOW and self._counts:
            self._judge(*max(self._counts.items(), key=itemgetter(1)))

    def _forget(self, reason: str | None) -> None:
        if reason is not None:
            self._counts[reason] -= 1
            if not self._counts[reason]:
                del self._counts[reason]

    def _judge(self, reason: str, count: int) -> None:
        if count > self._most:
            raise ConfigError(
                f"{count} of the last {WINDOW} tickets died of one reason, {reason}: not each of "
                "them is at fault. Nothing more was written. Correct `input`, the decoder or the "
                "sender; or set input.dead_at_most: 1 to have them all become dead letters"
            )
