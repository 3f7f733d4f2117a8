"""The `streamer` command: one function per verb, no logic."""

import logging
import sys
from collections.abc import Sequence

from streamer.cli.parser import parser
from streamer.errors import ConfigError, StreamerError

__all__ = ["main", "parser"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code: 0 done, 1 failed, 2 wrong configuration or usage."""
    options = parser().parse_args(arguments)
    # Its errors come as exceptions as well, and are told once; services log them all the same.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        return int(options.run(options) or 0)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except StreamerError as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130
