"""The page about metrics in the documentation; `python -m tests.observe.metrics_page` writes it."""

from pathlib import Path

from streamer.observe.families import FAMILIES
from streamer.observe.family import MetricFamily

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"

_HEAD = """# Metrics

Classify, judge and monitor answer `/metrics` in the Prometheus text format. A monitor that has a
token asks for it there too: `authorization: {credentials: TOKEN}` in Prometheus. Times are in
seconds; histogram buckets double from 1 ms to 17 minutes, those of shares from 0.001. Everything
counts since the process started. What has labels is there from the first thing on that it counts,
so an alert on silence needs `unless` or `absent`: `== 0` finds nothing in a process that never
counted.

`lane` says which of its topics a process reads there: `main` (tickets, or judge requests),
`audits` (beside the judge's) or `answers` (beside the tickets). What begins with `messaging_`
follows the conventions of OpenTelemetry.

What begins with `vllm:` is vLLM's own, of a judge whose engine runs in its process: some of what
vLLM counts, under its names and in its buckets. `engine` is a number: a judge of kind `sequence`
has an engine for each task, in their order. A server behind `judge.kind: endpoint` answers a
`/metrics` of its own.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def markdown() -> str:
    """The page about metrics in the documentation."""
    return _HEAD + "".join(
        f"| `{family.name}` | {family.kind} | {_names(family)} | {family.meaning} |\n"
        for family in FAMILIES
    )


def _names(family: MetricFamily) -> str:
    return ", ".join(f"`{name}`" for name in family.labels) or "none"


if __name__ == "__main__":
    PAGE.write_text(markdown(), encoding="utf-8")
