"""The `streamer` command: one function per verb, no logic."""

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from streamer.cli.parser import parser
from streamer.errors import ConfigError, StreamerError
from streamer.terminal import note

__all__ = ["main", "parser"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return the exit code.

    0 done, 1 failed, 2 wrong configuration or usage, 130 interrupted, or nobody reads on.
    """
    command = parser()
    options = command.read(arguments)
    if "run" not in options:
        command.print_help(sys.stderr)
        return 2
    if options.no_color:
        # Child processes and libraries look there too.
        os.environ["NO_COLOR"] = "1"
    # Its errors come as exceptions as well, and are told once; services log them all the same.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    code, complaint = _outcome(options)
    # Only now, when bars of progress have left the terminal with the error's traceback.
    if complaint:
        note(_harmless(complaint, options))
    return code


def _harmless(complaint: str, options: Namespace) -> str:
    from streamer.config.environment import Environment

    config = getattr(options, "config", None)
    return complaint if config is None else Environment.of(config).hide(complaint)


def _outcome(options: Namespace) -> tuple[int, str]:
    try:
        code = int(options.run(options) or 0)
        sys.stdout.flush()
    except ConfigError as error:
        return 2, str(error)
    except StreamerError as error:
        return 1, str(error)
    except KeyboardInterrupt:
        return 130, ""
    except BrokenPipeError:
        # Or Python would try once more at the end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 130, ""
    return code, ""
