"""Whose fault an exception at one of the two doors is: the record's, or not."""

import errno

from aiokafka.errors import KafkaError

from streamer.errors import StreamerError

_OUTSIDE = (MemoryError, KafkaError, StreamerError)
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


def by_the_record(error: Exception) -> bool:
    """Whether the record alone brought it about, so that it would come again with every reading.

    Kafka, Triton, memory, disk and network are not the record.
    """
    if isinstance(error, OSError):
        return error.errno in _ASKED_FOR or _of_a_library(error)
    return not isinstance(error, _OUTSIDE)


def _of_a_library(error: OSError) -> bool:
    """Libraries say by such errors that bytes are odd: `gzip.BadGzipFile`."""
    systems = isinstance(error, ConnectionError | TimeoutError) or type(error) is OSError
    return error.errno is None and not systems
