"""Processes that Ctrl-C ends, however the tests themselves were started."""

import signal


def interruptible() -> None:
    """For `preexec_fn`: a shell's background jobs ignore SIGINT, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
