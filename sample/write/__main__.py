"""``python -m sample.write [FOLDER]``: write all splits, by default over the committed ones."""

import sys
from pathlib import Path

from sample.write.splits import splits

_HERE = Path(__file__).parent


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _HERE.parent
    for name, text in splits(_HERE / "grammar"):
        (folder / f"helpdesk.{name}.csv").write_text(text, encoding="utf-8", newline="")


main()
