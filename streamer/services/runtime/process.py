"""Runs one service as a process: event loop, signals, exit codes."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from streamer.config.environment import Environment
from streamer.errors import ConfigError, StreamerError

log = logging.getLogger(__name__)

Stop = asyncio.Event

# A batch makes thousands of small objects that end with it and form no cycles; at the collector's
# default of 700 it looks at them again and again, a fifth of the time that a ticket takes.
GARBAGE_AFTER = 50_000

FIRST_CONTACT = ('Unable connect to "', 'Unable to request metadata from "')


def run(service: Callable[[Stop], Coroutine[Any, Any, None]], config: Path) -> int:
    """Run a service until it ends or SIGTERM or SIGINT asks it to; returns the exit code.

    The service gets an event that is set when it shall stop. 0: stopped as asked; 2: the
    configuration is wrong, nothing will change by a restart; 1: anything else. What the file
    `config` takes from the environment is never logged.
    """
    told = logging.StreamHandler(sys.stderr)
    told.setFormatter(_Formatter(Environment.of(config)))
    logging.basicConfig(level=logging.INFO, handlers=[told])
    logging.getLogger("aiokafka").addFilter(_is_news)
    try:
        uvloop.run(_until_stopped(service))
    except ConfigError as error:
        log.error("%s", error)
        return 2
    except StreamerError as error:
        log.error("%s", error)
        return 1
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        log.exception("stopped by an error that nobody foresaw; nothing unfinished was committed")
        return 1
    return 0


class _Formatter(logging.Formatter):
    """Hides what came from the environment, in tracebacks too."""

    def __init__(self, environment: Environment) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._environment = environment

    def format(self, record: logging.LogRecord) -> str:
        return self._environment.hide(super().format(record))


def _is_news(record: logging.LogRecord) -> bool:
    # A first contact that fails comes as an error too, and is told once with what to do.
    return not str(record.msg).startswith(FIRST_CONTACT)


async def _until_stopped(service: Callable[[Stop], Coroutine[Any, Any, None]]) -> None:
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await service(stop)
