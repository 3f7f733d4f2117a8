"""`python -m tests.commands_page`: writes docs/commands.md."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.commands_page.page import page
from tests.commands_page.sections import SECTIONS
from tests.commands_page.world import World

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"

if __name__ == "__main__":
    with TemporaryDirectory() as folder, World(Path(folder)) as world:
        PAGE.write_text(page(SECTIONS, world), encoding="utf-8")
    print(f"wrote {PAGE}")
