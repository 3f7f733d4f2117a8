"""Those of vLLM's own metrics that a judge passes on, under their own names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from streamer.observe.family import Kind, MetricFamily


def _family(name: str, kind: Kind, meaning: str) -> MetricFamily:
    return MetricFamily(f"vllm:{name}", kind, ("model_name", "engine"), meaning)


MODEL_FAMILIES: tuple[MetricFamily, ...] = (
    _family("num_requests_running", "gauge", "Requests in the engine that are being computed."),
    _family("num_requests_waiting", "gauge", "Requests in the engine that wait for a step."),
    _family(
        "kv_cache_usage_perc",
        "gauge",
        "Share of the blocks of the key-value cache in use: 1 when requests must wait for some.",
    ),
    _family(
        "prefix_cache_queries_total",
        "counter",
        "Tokens of prompts that were looked for in the prefix cache.",
    ),
    _family("prefix_cache_hits_total", "counter", "Those of them that it had."),
    _family("prompt_tokens_total", "counter", "Tokens of prompts, cached ones included."),
    _family(
        "generation_tokens_total",
        "counter",
        "Tokens that were written: one for each request, which nobody reads.",
    ),
    _family(
        "num_preemptions_total",
        "counter",
        "Requests that lost their blocks to others, and are computed again.",
    ),
    _family(
        "time_to_first_token_seconds",
        "histogram",
        "From a request to its first token, which has the probabilities: all of it.",
    ),
    _family(
        "request_queue_time_seconds",
        "histogram",
        "From a request to the first step that computes it.",
    ),
)


def chosen(found: Iterable[Metric]) -> Iterator[Metric]:
    """Each of the families, with what was found of it."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for metric in found:
        # When each was made nobody asks.
        kept = (sample for sample in metric.samples if not sample.name.endswith("_created"))
        samples[metric.name].extend(kept)
    for family in MODEL_FAMILIES:
        metric = Metric(family.name.removesuffix("_total"), family.meaning, family.kind)
        metric.samples = samples[metric.name]
        yield metric
