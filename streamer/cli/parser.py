"""All verbs with their options."""

import argparse

from streamer.cli import learning, running, setting_up, tickets
from streamer.cli.verbs import Verbs


def parser() -> argparse.ArgumentParser:
    """The verbs and their options."""
    found = argparse.ArgumentParser(prog="streamer", description="Tickets in, labels out.")
    verbs = Verbs(found.add_subparsers(required=True, metavar="VERB"))
    for room in (running, tickets, learning, setting_up):
        room.add(verbs)
    return found
