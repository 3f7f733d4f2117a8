"""Leads `streamer judge` to the environment that has the engine."""

import os
import subprocess
import sys
from importlib.util import find_spec

from streamer.config.settings import Settings
from streamer.errors import ConfigError, in_words

_ENGINE = "vllm"
_LOOK = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{_ENGINE}') is None)"
_MEND = "run `make setup`, or name the interpreter of the judge's environment"


def go_on_there(settings: Settings) -> None:
    """Go on with the same command under judge.python, where this interpreter has no engine.

    Returns where there is nothing to look for elsewhere. Raises `ConfigError` where judge.python
    has no engine either.
    """
    if settings.judge.kind == "endpoint" or find_spec(_ENGINE) is not None:
        return
    python = str(settings.judge_python)
    try:
        # Looked for first: one that has none would lead to itself for ever.
        if subprocess.run([python, "-c", _LOOK], check=False).returncode:
            raise ConfigError(f"judge.python: {python} has no vLLM; {_MEND}")
        os.execv(python, [python, "-m", "streamer.cli", *sys.argv[1:]])
    except OSError as error:
        raise ConfigError(
            f"judge.python: {python} can't be started ({in_words(error)}); {_MEND}"
        ) from error
