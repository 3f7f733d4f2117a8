import pytest

from tests.ops.promql import labels, metrics


@pytest.mark.parametrize(
    ("expression", "names", "by"),
    [
        ("up", {"up"}, set()),
        ('sum by (a, b) (rate(x_total{c=~"y|{z}"}[5m])) > 0', {"x_total"}, {"a", "b", "c"}),
        (
            "histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))",
            {"x_seconds"},
            {"le"},
        ),
        (
            "x_total / on (a) group_left (b) y and z unless w",
            {"x_total", "y", "z", "w"},
            {"a", "b"},
        ),
        ('absent(x{a!="1"}) or deriv(y[15m]) > 1e3', {"x", "y"}, {"a"}),
    ],
)
def test_names_are_found(expression: str, names: set[str], by: set[str]) -> None:
    assert metrics(expression) == names
    assert labels(expression) == by
