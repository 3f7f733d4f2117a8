"""A script that lets a shell complete verbs and options."""

import argparse

from streamer.errors import ConfigError


def script(shell: str, command: argparse.ArgumentParser) -> str:
    """The script for bash, zsh or fish that completes what `command` takes.

    Raises `ConfigError` where its maker is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise ConfigError(
            "completion needs the package shtab, which is not in this environment: install"
            " streamer[classify], or run `streamer completion` where that is"
        ) from None
    for verb in _parsers(command):
        for action in verb._actions:
            if isinstance(action, argparse._SubParsersAction):
                action.help = "verb"  # what has no help is left out
            if action.metavar in ("FILE", "LOG"):
                action.complete = shtab.FILE  # type: ignore[attr-defined]  # shtab's own convention
            elif action.metavar == "FOLDER":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]  # as above
    return str(shtab.complete(command, shell))


def _parsers(command: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """A parser with those of its verbs, and of their verbs."""
    parsers = [command]
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                parsers += _parsers(verb)
    return parsers
