"""The code tour names what is there."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "code-tour.md"
CODE = PAGE.parents[1] / "streamer"


def test_every_name_of_the_tour_is_defined_in_a_file_that_it_leads_to() -> None:
    tour = PAGE.read_text(encoding="utf-8").partition("## Where to change")[0]
    files = re.findall(r"\]\(\.\./(streamer/[\w/]+\.py)\)", tour)
    code = "\n".join((PAGE.parents[1] / file).read_text(encoding="utf-8") for file in files)
    names = [name.rpartition(".")[2] for name in re.findall(r"`([A-Za-z_.]+)`", tour)]
    names = [name for name in names if name not in ("kind", "current")]
    assert len(names) > 25
    assert [name for name in names if not re.search(rf"(def|class) {name}\b", code)] == []


def test_every_file_to_change_is_there() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Where to change")[2]
    named = re.findall(r"`([\w/.]+)`", table)
    rooms = {path.as_posix() for path in CODE.rglob("*.py")}
    missing = [
        name
        for name in named
        if name.endswith(".py") and not any(room.endswith("/" + name) for room in rooms)
    ]
    roots = (PAGE.parents[1], CODE)
    others = [name for name in named if name.endswith(("/", ".md", ".yaml"))]
    missing += [name for name in others if not any((root / name).exists() for root in roots)]
    assert (len(named) > 10, missing) == (True, [])
