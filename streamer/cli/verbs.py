"""What all verbs have in common: their options, their look, and the settings these lead to."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from streamer.cli.usage import Parser
from streamer.words import pair


class Verbs:
    """Adds verbs to a parser, each with the options that all of them take.

    `purpose` is the heading under which the command's own help lists them.
    """

    def __init__(self, parsers: "argparse._SubParsersAction[Parser]", purpose: str) -> None:
        self._parsers = parsers
        self._purpose = purpose
        self._texts: dict[str, str] = {}

    def add(
        self,
        run: Callable[[argparse.Namespace], int],
        text: str,
        name: str | None = None,
        *,
        more: str = "",
        examples: Sequence[str] = (),
        configured: bool = True,
    ) -> Parser:
        """A verb named `name`, else as its function; `run` gets the parsed options.

        `text` is one line, `more` the paragraphs after it, `examples` are whole commands. A verb
        that is not `configured` reads no streamer.yaml and takes no option about it.
        """
        verb = name or run.__name__
        added = self._parsers.add_parser(
            verb,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.\n\n{more}",
            epilog="\n".join(["examples:", *(f"  {example}" for example in examples)])
            if examples
            else "",
            parents=[_configuration(), _output()] if configured else [_output()],
        )
        added.set_defaults(run=run, verb=verb, usage=added)
        self._texts[verb] = text
        return added

    def listing(self) -> str:
        """The verbs and what they are for, under the purpose."""
        lines = (f"  {verb:<11} {text}" for verb, text in self._texts.items())
        return "\n".join([f"{self._purpose}:", *lines])


def with_json(
    added: "argparse._ActionsContainer", text: str = "the answer as one line of JSON"
) -> None:
    """Give a verb the option `--json`: stdout holds nothing but JSON then."""
    added.add_argument("--json", action="store_true", help=text)


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


def _configuration() -> Parser:
    common = Parser(add_help=False)
    group = common.add_argument_group("configuration")
    group.add_argument(
        "--config",
        type=Path,
        default=Path("streamer.yaml"),
        metavar="FILE",
        help="your configuration (streamer.yaml)",
    )
    group.add_argument("--kafka", metavar="HOST:PORT", help="this Kafka, not the configured one")
    group.add_argument("--triton", metavar="HOST:PORT", help="this Triton, not the configured one")
    group.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=pair,
        action="append",
        default=[],
        help="any other key of the configuration, such as kafka.group=mine",
    )
    return common


def _output() -> Parser:
    common = Parser(add_help=False)
    common.add_argument("--no-color", action="store_true", help="as if NO_COLOR were set")
    return common
