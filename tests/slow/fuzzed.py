"""Records of all kinds that a topic may hold, good, odd and hostile, drawn from a seed."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

PARTITIONS = 4
_CODECS = (0, 1, 2, 3, 4)
"""None, gzip, snappy, lz4 and zstd."""

_AGREED = "#label={} the parcel came late"
_DISPUTED = "#echo_a=0 #echo_b=1 #echo_c=2 the parcel came late"
_ODD_TEXTS = (
    "\u202eright to left\u202c",
    "\u200b\u200b\u200b",
    "\x00 nul \x01\x1b[31mred\x1b[0m",
    "\U0001d57f\U0001d58e \U0001f469\u200d\U0001f467 " * 20,
    "e\u0301 and \u00e9",
    "\ufeff with a mark",
    "[" * 5000,
    '{"id": "in the text"}' * 50,
    "line\r\nline\u2028line\u0085",
    "   \t  ",
    "",
)
_ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 4711, 4711.0, 0.5, 1e300, -0.0, 2**63, 2**64 - 1,
    [], {}, [1, "two"], {"id": "inner"}, " ", "", "a" * 600, "t/1", "t\u0000", "\u200b",
)  # fmt: skip
_ODD_BYTES = (
    b"", b"null", b"[]", b"{}", b"0", b'"text"', b"{", b"\xff\xfe\x00", b"\x1f\x8b\x08\x00", b"NaN",
    b'{"id": NaN, "text": "x"}', b'{"id": "a", "text": "\\ud800"}', b'{"id": "a", "text": "x"} x',
    b'{"id": 99999999999999999999999999, "text": "x"}', b'{"id": "a", "id": 7, "text": "x"}',
    b"\x00\x00\x00\x00\x01avro", b"\xef\xbb\xbf{}",
)  # fmt: skip
_TRACES = (
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"", b"00-", b"\xff" * 55,
    b"00-00000000000000000000000000000000-0000000000000000-01", b"ff-" + b"0" * 52, None,
)  # fmt: skip
_NAMES = (
    "",
    "x",
    "source.offset",
    "dead.reason",
    "dead.attempt",
    "a" * 3000,
    "\x00",
    "ü",
    "tracestate",
)


class OddName(str):
    """What a client in another language writes: bytes that are no text."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"x-\xff\xfe"


Headers = Sequence[tuple[str, bytes | None]]


class Fuzzed(NamedTuple):
    """A record to be written; `timestamp` in milliseconds, None for now."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int | None


class Fuzz:
    """An endless source of records; the same for the same seed.

    About half are plain tickets, so that what an odd one does to its neighbours shows, and one in
    twelve is for the judge. No two records have one key, save where it is the key that is odd.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0
        kinds: list[tuple[int, Callable[[], Fuzzed]]] = [
            (100, self._plain), (20, self._deep), (20, self._typed), (15, self._encoded),
            (15, self._worded), (8, self._unreadable), (15, self._headed), (8, self._keyed),
            (8, self._deleted), (10, self._timed), (1, self._large), (4, self._wide),
        ]  # fmt: skip
        self._weights, self._kinds = zip(*kinds, strict=True)

    def __iter__(self) -> Iterator[Fuzzed]:
        while True:
            self._number += 1
            (kind,) = self._random.choices(self._kinds, self._weights)
            yield kind()

    @property
    def _name(self) -> str:
        return f"t{self._number}"

    def _text(self) -> str:
        if self._random.random() < 0.08:
            return f"{_DISPUTED} {self._number}"
        return f"{_AGREED.format(self._random.randrange(4))} {self._number}"

    def _made(self, value: bytes | None, **given: Any) -> Fuzzed:
        plain: dict[str, Any] = {"key": self._name.encode(), "headers": (), "timestamp": None}
        return Fuzzed(**{**plain, **given}, value=value)

    def _json(self, **fields: Any) -> bytes:
        return orjson.dumps({"id": self._name, "text": self._text(), **fields})

    def _plain(self) -> Fuzzed:
        return self._made(self._json(priority=self._random.randrange(5)))

    def _deep(self) -> Fuzzed:
        """As text, because no writer of ours nests so deep."""
        depth = self._random.choice([1, 100, 200, *range(230, 260), 500, 1000, 1023, 1025, 5000])
        opened, closed = self._random.choice([("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")])
        nested = opened * depth + "1" + closed * depth
        return self._made(self._json()[:-1] + b', "extra": ' + nested.encode() + b"}")

    def _typed(self) -> Fuzzed:
        field = self._random.choice(["id", "text", "created_at", "subject", "priority"])
        return self._made(self._json(**{field: self._random.choice(_ODD_VALUES)}))

    def _encoded(self) -> Fuzzed:
        text = self._json(name="Zoë Müller — 東京").decode()
        codec = self._random.choice(["utf-16", "utf-16-le", "utf-8-sig", "utf-32", "utf-8"])
        value = text.encode(codec)
        if codec == "utf-8" and self._random.random() < 0.7:
            at = self._random.randrange(len(value))
            value = (
                value[:at] + self._random.randbytes(self._random.randint(1, 4)) + value[at + 1 :]
            )
        return self._made(value)

    def _worded(self) -> Fuzzed:
        odd = self._random.choice(_ODD_TEXTS)
        return self._made(self._json(text=self._random.choice([odd, f"{self._text()} {odd}"])))

    def _unreadable(self) -> Fuzzed:
        some = self._random.randbytes(self._random.randrange(200))
        return self._made(self._random.choice([some, *_ODD_BYTES]))

    def _headed(self) -> Fuzzed:
        headers: list[tuple[str, bytes | None]] = [("traceparent", self._random.choice(_TRACES))]
        for _ in range(self._random.choice([1, 2, 5, 300])):
            value = self._random.choice([None, b"", self._random.randbytes(20), b"v" * 2000])
            headers.append((self._random.choice(_NAMES), value))
        if self._random.random() < 0.3:
            headers.insert(self._random.randrange(len(headers)), (OddName("?"), b"odd"))
        return self._made(self._json(), headers=headers)

    def _keyed(self) -> Fuzzed:
        name = self._name.encode()
        keys = [None, b"", b"\xff" + name, name * 1000, b'{"id": "%b"}' % name, b"\x00" + name]
        return self._made(self._json(), key=self._random.choice(keys))

    def _deleted(self) -> Fuzzed:
        name = b"gone-" + self._name.encode()
        keys = [
            name,
            name,
            b'{"id": "%b"}' % name,
            None,
            b"",
            b"\xff" + name,
            b"\x00" + name,
            b"[]",
        ]
        odd = [(OddName("?"), None)] if self._random.random() < 0.1 else []
        return self._made(None, key=self._random.choice(keys), headers=odd)

    def _timed(self) -> Fuzzed:
        return self._made(self._json(), timestamp=self._random.choice([-1, 0, 1, 10**9, 10**12]))

    def _large(self) -> Fuzzed:
        letter = self._random.choice(["x", "ö", "漢", "👍"])
        size = self._random.choice([100_000, 400_000, 900_000, 1_200_000]) // len(letter.encode())
        return self._made(self._json(text=self._text() + " " + letter * size))

    def _wide(self) -> Fuzzed:
        fields = {f"field{number}": number for number in range(self._random.choice([500, 5000]))}
        return self._made(self._json(**fields, nothing=None, nested=[[], {}, [[]]]))


def bent(requests: Sequence[bytes], seed: int) -> Iterator[tuple[str, bytes]]:
    """Judge requests with one field of another type or missing, and the id of each one's ticket."""
    chance = random.Random(seed)
    for number, value in enumerate(requests):
        request = orjson.loads(value)
        request["ticket"]["id"] = name = f"bent-{number}"
        inside = chance.choice([request, request["ticket"], request["ballot"], request["position"]])
        field = chance.choice([field for field in inside if field != "id"])
        if chance.random() < 0.2:
            del inside[field]
        else:
            inside[field] = chance.choice([*_ODD_VALUES, "x", {"a": [1]}, [[["deep"]]]])
        yield name, orjson.dumps(request)


async def write(bootstrap: str, topic: str, records: Sequence[Fuzzed], seed: int) -> None:
    """Write them in batches of all codecs, a hundred records in each at most."""
    chance = random.Random(seed)
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_request_size=2**24, request_timeout_ms=120_000
    ) as producer:
        waiting = list(records)
        while waiting:
            batch = producer.create_batch()
            codec = chance.choice(_CODECS)
            # The one in C takes no header name that isn't text.
            batch._builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, 0, 4 * 2**20)
            taken = 0
            for one in waiting[: chance.choice([1, 10, 100])]:
                if not batch.append(
                    timestamp=one.timestamp, key=one.key, value=one.value, headers=one.headers
                ):
                    break
                taken += 1
            del waiting[:taken]
            partition = chance.randrange(PARTITIONS)
            await (await producer.send_batch(batch, topic, partition=partition))
