from pathlib import Path

from streamer.observe.families import FAMILIES
from tests.observe.metrics_page import markdown

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_about_metrics_is_up_to_date() -> None:
    # Where it is not: python -c 'from tests.observe.metrics_page import markdown;
    # print(markdown(), end="")' > docs/metrics.md
    assert PAGE.read_text() == markdown()


def test_names_are_unique_and_say_their_unit() -> None:
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert family.name.endswith("_total") == (family.kind == "counter")
        measured = family.name.endswith(("_seconds", "_records"))
        assert measured or family.kind != "histogram"
