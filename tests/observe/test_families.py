from streamer.observe.families import FAMILIES
from tests.observe.metrics_page import PAGE, markdown


def test_the_page_about_metrics_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "run python -m tests.observe.metrics_page"
    )


def test_names_are_unique_and_say_their_unit() -> None:
    names = [family.name for family in FAMILIES]
    assert len(set(names)) == len(names)
    for family in FAMILIES:
        assert family.name.endswith("_total") == (family.kind == "counter")
        measured = family.name.endswith(("_seconds", "_records", "_ratio"))
        assert measured or family.kind != "histogram"
