"""Whose fault an exception at one of the two doors is: the record's, or not."""

import errno
from asyncio import CancelledError
from collections.abc import Iterator

from aiokafka.errors import KafkaError

from streamer.errors import StreamerError

_OUTSIDE = (MemoryError, KafkaError, CancelledError, KeyboardInterrupt)
# What was asked for is at fault, and a record may have named it; not the disk.
_ASKED_FOR = {
    errno.ENOENT,
    errno.EEXIST,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
    errno.EINVAL,
    errno.ELOOP,
}


def by_the_record(error: BaseException) -> bool:
    """Whether the record alone brought it about, so that it would come again with every reading.

    Kafka, Triton, memory, disk and network are not the record, nor is what was raised from them.
    """
    return not isinstance(error, StreamerError) and not any(map(_outside, _behind(error)))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it was raised from: libraries put the network's into their own."""
    chain, met = [error], {id(error)}
    for link in chain:
        yield link
        inner = link.__cause__ if link.__suppress_context__ else link.__context__
        members = link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        more = [each for each in (inner, *members) if each is not None and id(each) not in met]
        met.update(map(id, more))
        # The loop goes on to these.
        chain += more


def _outside(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno not in _ASKED_FOR and not _of_a_library(error)
    return isinstance(error, _OUTSIDE)


def _of_a_library(error: OSError) -> bool:
    """Libraries say by such errors that bytes are odd: `gzip.BadGzipFile`."""
    systems = isinstance(error, ConnectionError | TimeoutError) or type(error) is OSError
    return error.errno is None and not systems
