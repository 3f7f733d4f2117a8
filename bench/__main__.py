"""Runs the benchmarks by name, all of them by default."""

import argparse
import importlib
from pathlib import Path

BENCHMARKS = (
    "decide",
    "pipeline",
    "tracing",
    "latency",
    "memory",
    "table",
    "cascade",
    "routing",
    "misuse",
    "burst",
    "feeding",
)
ON_DATA = (
    "quality",
    "language_log",
    "second_judge",
    "taught_judge",
    "segments",
    "aligned",
    "cold_start",
    "encoder",
    "after_judge",
)
"""Those that are about the real tasks, and nothing without them."""
BY_NAME = ("mutants", "language_cascade")
"""Those about the tests, an hour long, and one that wants a model of yours: only by name."""
KNOWN = (*BENCHMARKS, *ON_DATA, *BY_NAME)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(KNOWN))
    parser.add_argument("--tickets", type=int, default=120_000, help="backlog of `pipeline`")
    parser.add_argument("--pairs", type=int, default=5, help="interleaved pairs of runs")
    parser.add_argument("--seconds", type=float, default=8, help="of each run of `latency`")
    parser.add_argument("--backlog", type=int, default=1_000_000, help="backlog of `memory`")
    parser.add_argument("--drained", type=int, default=20_000, help="backlog of `cascade`")
    parser.add_argument("--judged", type=int, default=4_000, help="backlog of `feeding`: encoder")
    parser.add_argument("--read", type=int, default=1_200, help="backlog of `feeding`: language")
    parser.add_argument("--judge-pairs", type=int, default=3, help="pairs of runs of `feeding`")
    parser.add_argument("--data", type=Path, help="the real tasks, for benchmarks that want them")
    parser.add_argument(
        "--judge", type=Path, help="model folder of `language_cascade`, if not the cached one"
    )
    parser.add_argument("--asked", type=int, default=150, help="tickets of `language_cascade`")
    parser.add_argument("--files", type=Path, nargs="+", help="files or folders of `mutants`")
    parser.add_argument("--mutants", type=int, default=40, help="how many of each file")
    parser.add_argument("--seed", type=int, help="of `mutants`, to try the same again")
    parser.add_argument("--jobs", type=int, default=2, help="files of `mutants` at a time")
    parser.add_argument("--limit", type=float, default=20, help="seconds of tests for a mutant")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(KNOWN)):
        parser.error(f"no benchmark {', '.join(unknown)}: choose from {', '.join(KNOWN)}")
    if left_out := () if options.data else ON_DATA:
        if lacking := sorted(set(options.names) & {*left_out, "language_cascade"}):
            parser.error(f"{', '.join(lacking)}: name the folder of the real tasks with --data")
        if not options.names:
            print(f"without --data, left out: {', '.join(left_out)}")
    for name in options.names or (*BENCHMARKS, *(ON_DATA if options.data else ())):
        for result in importlib.import_module(f"bench.{name}").run(options):
            result.write()


if __name__ == "__main__":
    main()
