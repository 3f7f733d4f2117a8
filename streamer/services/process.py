"""Runs one service as a process: event loop, signals, exit codes."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from streamer.errors import ConfigError, StreamerError

log = logging.getLogger(__name__)

Stop = asyncio.Event


def run(service: Callable[[Stop], Coroutine[Any, Any, None]]) -> int:
    """Run a service until it ends or SIGTERM or SIGINT asks it to; returns the exit code.

    The service gets an event that is set when it shall stop. 0: stopped as asked; 2: the
    configuration is wrong, nothing will change by a restart; 1: anything else.
    """
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        uvloop.run(_until_stopped(service))
    except ConfigError as error:
        log.error("%s", error)
        return 2
    except StreamerError as error:
        log.error("%s", error)
        return 1
    except Exception:
        log.exception("stopped by an error that nobody foresaw; nothing unfinished was committed")
        return 1
    return 0


async def _until_stopped(service: Callable[[Stop], Coroutine[Any, Any, None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service(stop)
