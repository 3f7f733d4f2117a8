"""What `feeding` does in the judge's environment: prepare a judge, and run vLLM without one."""

import argparse
from pathlib import Path

import orjson

from bench import fed_encoder, fed_language

_SUBJECTS = {"encoder": fed_encoder, "language": fed_language}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", choices=_SUBJECTS)
    parser.add_argument("side", choices=["prepare", "offline"])
    parser.add_argument("folder", type=Path, help="what `prepare` wrote")
    parser.add_argument("--file", type=Path, help="for what `offline` finds")
    parser.add_argument("--count", type=int, default=0)
    given = parser.parse_args()
    subject = _SUBJECTS[given.subject]
    if given.side == "prepare":
        subject.prepare(given.folder)
    else:
        given.file.write_bytes(orjson.dumps(subject.offline(given.folder, given.count)))


if __name__ == "__main__":
    main()
