"""What is generated into docs/; `python -m tests.records.contract.published` writes it anew."""

import json
from pathlib import Path

from streamer.commands.asyncapi import DEFAULT, text
from streamer.records.schema import RECORDS, schema

ROOT = Path(__file__).parents[3]


def published() -> dict[Path, str]:
    """The files by their paths in the repository."""
    schemas = {
        Path(f"docs/schemas/{name}.json"): json.dumps(schema(name), indent=2) + "\n"
        for name in RECORDS
    }
    return schemas | {Path("docs/asyncapi.yaml"): text(DEFAULT)}


if __name__ == "__main__":
    for path, content in published().items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(content, encoding="utf-8")
