"""`python -m streamer.cli`, for interpreters whose scripts are not on the path."""

import sys

from streamer.cli import main

if __name__ == "__main__":
    sys.exit(main())
