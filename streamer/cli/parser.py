"""All verbs with their options."""

import argparse
from importlib.metadata import version

from streamer.cli import (
    aligning,
    learning,
    looping,
    planning,
    repairing,
    running,
    segmenting,
    setting_up,
    tickets,
)
from streamer.cli.usage import Parser
from streamer.cli.verbs import Verbs

_ROOMS = {
    "set up": (setting_up, planning),
    "run": (running,),
    "tickets": (tickets, repairing),
    "learn": (learning, segmenting, aligning, looping),
}

_END = """\
`streamer VERB --help` says more of a verb, with examples. Verbs read streamer.yaml, or what
--config names; `streamer init` writes one.

exit codes:
  0    done
  1    failed
  2    wrong configuration or usage
  130  interrupted
"""


def parser() -> Parser:
    """The verbs and their options."""
    root = Parser(
        prog="streamer", usage="streamer VERB [options]", description="Tickets in, labels out."
    )
    root.add_argument(
        "--version",
        action="version",
        version=f"streamer {version('streamer')}",
        help="print the version and exit",
    )
    root.set_defaults(command=root)
    # Listed by purpose in the epilog, where argparse would make one long list of them.
    parsers = root.add_subparsers(
        prog="streamer", metavar="VERB", help=argparse.SUPPRESS, parser_class=Parser
    )
    listings = []
    for purpose, rooms in _ROOMS.items():
        verbs = Verbs(parsers, purpose)
        for room in rooms:
            room.add(verbs)
        listings.append(verbs.listing())
    root.epilog = "\n\n".join([*listings, _END])
    return root
