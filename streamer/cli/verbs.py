"""What all verbs have in common: their options, and the settings these lead to."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamer.words import pair


class Verbs:
    """Adds verbs to a parser, each with the options that all of them take."""

    def __init__(self, parsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        self._parsers = parsers
        self._common = _common()

    def add(
        self, run: Callable[[argparse.Namespace], int], text: str, name: str | None = None
    ) -> argparse.ArgumentParser:
        """A verb named `name`, else as its function; `run` gets the parsed options."""
        verb = name or run.__name__
        added = self._parsers.add_parser(verb, help=text, description=text, parents=[self._common])
        added.set_defaults(run=run, verb=verb)
        return added


def settings(options: argparse.Namespace) -> Any:
    """The configuration with what the options override; raises `ConfigError`."""
    from streamer.config import load

    return load(options.config, overrides(options))


def overrides(options: argparse.Namespace) -> dict[str, str]:
    """Keys of the configuration that the options set."""
    given = {"kafka.bootstrap": options.kafka, "triton.url": options.triton, **dict(options.set)}
    if listen := getattr(options, "listen", None):
        host, _, port = listen.rpartition(":")
        given |= {f"{options.verb}.listen.host": host, f"{options.verb}.listen.port": port}
    return {key: value for key, value in given.items() if value}


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, default=Path("streamer.yaml"), metavar="FILE")
    common.add_argument("--kafka", metavar="HOST:PORT", help="this Kafka, not the configured one")
    common.add_argument("--triton", metavar="HOST:PORT", help="this Triton, not the configured one")
    common.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=pair,
        action="append",
        default=[],
        help="any other key of the configuration, such as kafka.group=mine",
    )
    return common
