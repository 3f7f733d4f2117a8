from dataclasses import dataclass, field

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from streamer.observe.families import FAMILIES
from streamer.observe.metrics import Metrics
from streamer.stream.engine import Counts

NOW = 1_700_000_000_000.0


@dataclass
class Running:
    """An engine at work, with the engine's own counts."""

    counts: Counts = field(
        default_factory=lambda: Counts(records=9, batches=4, settled={"no task applies": 2})
    )
    in_flight: int = 3
    buffered: int = 17
    held_bytes: int = 4096
    watermark_age: float = 1.5
    oldest_ms: int | None = None
    lags: dict[int, int] = field(default_factory=lambda: {0: 4, 5: 0})
    polled_at: float = 0.0


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample, by its name and label values (bucket edges last)."""
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            labels = dict(sample.labels)
            edge = [labels.pop("le")] if "le" in labels else []
            found[sample.name, *(labels[name] for name in sorted(labels)), *edge] = sample.value
    return found


def test_labels_are_counted_with_both_latencies() -> None:
    metrics = Metrics(["intent"], ["fast"])
    metrics.labels("intent", "workers", NOW - np.array([10.0, 3000.0, 50_000.0]), NOW - 5, NOW)
    metrics.labels("intent", "judge", NOW - np.array([7000]), NOW - np.array([900.0]), NOW)
    found = samples(metrics)
    assert found["streamer_labels_total", "workers", "intent"] == 3
    assert found["streamer_labels_total", "judge", "intent"] == 1
    assert found["streamer_ticket_latency_seconds_sum", "workers", "intent"] == pytest.approx(53.01)
    assert found["streamer_service_latency_seconds_sum", "workers", "intent"] == pytest.approx(
        0.015
    )
    assert found["streamer_service_latency_seconds_count", "workers", "intent"] == 3
    assert found["streamer_service_latency_seconds_bucket", "workers", "intent", "0.004"] == 0
    assert found["streamer_service_latency_seconds_bucket", "workers", "intent", "0.008"] == 3
    assert found["streamer_ticket_latency_seconds_sum", "judge", "intent"] == pytest.approx(7)
    assert found["streamer_service_latency_seconds_sum", "judge", "intent"] == pytest.approx(0.9)


def test_what_happens_to_tickets_is_counted() -> None:
    metrics = Metrics(["intent"])
    metrics.deferred("intent", "disagreement", 4)
    metrics.deferred("intent", "disagreement")
    metrics.dead("unreadable")
    metrics.tombstone()
    metrics.republished("intent", 2)
    metrics.batch("tickets", 48, 0.25)
    found = samples(metrics)
    assert found["streamer_deferred_total", "disagreement", "intent"] == 5
    assert found["streamer_dead_letters_total", "unreadable"] == 1
    assert found["streamer_tombstones_total",] == 1
    assert found["streamer_republished_total", "intent"] == 2
    labels = ("tickets", "process", "kafka")
    assert found["messaging_process_duration_seconds_sum", *labels] == pytest.approx(0.25)
    assert found["streamer_batch_records_sum", "tickets"] == 48
    assert found["streamer_batch_records_bucket", "tickets", "32.0"] == 0
    assert found["streamer_batch_records_bucket", "tickets", "64.0"] == 1


def test_workers_are_watched() -> None:
    metrics = Metrics([], ["fast", "slow"])
    tell = metrics.on_worker("fast")
    for event in ("retry", "retry", "opened", "refused", "version"):
        tell(event)
    metrics.called("fast", 200, 0.01)
    metrics.abstained("slow", "outage", 12)
    found = samples(metrics)
    assert found["streamer_worker_retries_total", "fast"] == 2
    assert found["streamer_worker_retries_total", "slow"] == 0
    assert found["streamer_worker_refused_total", "fast"] == 1
    assert found["streamer_worker_versions_total", "fast"] == 1
    assert found["streamer_breaker_open", "fast"] == 1
    assert found["streamer_breaker_open", "slow"] == 0
    assert found["streamer_worker_calls_total", "fast"] == 1
    assert found["streamer_worker_rows_total", "fast"] == 200
    assert found["streamer_worker_call_seconds_count", "fast"] == 1
    assert found["streamer_abstentions_total", "outage", "slow"] == 12
    tell("closed")
    assert samples(metrics)["streamer_breaker_open", "fast"] == 0


def test_ways_of_segments_are_counted() -> None:
    metrics = Metrics(["intent"])
    metrics.routed("intent", "3", 40)
    metrics.routed("intent", "3", 2)
    metrics.routed("intent", "general", 8)
    metrics.routed_by("intent", "v1", 50)
    metrics.unrouted("intent", "far", 5)
    metrics.unrouted("intent", "unsure", 3)
    metrics.segment_audited("intent", "3", 9, 10)
    metrics.routing(0.004, 64)
    metrics.routing(0.002, 16)
    found = samples(metrics)
    assert found["streamer_segments_total", "3", "intent"] == 42
    assert found["streamer_segments_total", "general", "intent"] == 8
    assert found["streamer_routed_total", "intent", "v1"] == 50
    assert found["streamer_unrouted_total", "far", "intent"] == 5
    assert found["streamer_unrouted_total", "unsure", "intent"] == 3
    assert found["streamer_segment_audited_total", "yes", "3", "intent"] == 9
    assert found["streamer_segment_audited_total", "no", "3", "intent"] == 1
    assert found["streamer_routing_seconds_count",] == 2
    assert found["streamer_routing_seconds_sum",] == pytest.approx(0.006)
    assert found["streamer_routing_rows_total",] == 80


def test_a_running_engine_is_read() -> None:
    metrics, engine = Metrics(), Running()
    metrics.watch_engine(engine)
    assert samples(metrics)["streamer_records_total", "main"] == 9
    engine.counts.records = 12
    found = samples(metrics)
    assert found["streamer_records_total", "main"] == 12
    assert found["streamer_in_flight", "main"] == 3
    assert found["streamer_buffered", "main"] == 17
    assert found["streamer_held_bytes", "main"] == 4096
    assert found["streamer_watermark_age_seconds", "main"] == 1.5
    assert found["streamer_oldest_record_seconds", "main"] == 0
    assert found["streamer_lag_records", "main", "0"] == 4
    assert found["streamer_poll_age_seconds", "main"] > 0
    assert found["streamer_settled_total", "main", "no task applies"] == 2


def test_lanes_stand_apart_and_what_is_summarised_is_the_main_one() -> None:
    metrics, main = Metrics(), Running(lags={0: 4, 5: 1})
    side = Running(Counts(records=100), lags={0: 90, 1: 8}, watermark_age=600)
    metrics.watch_engine(main)
    metrics.watch_engine(side, "audits")
    found = samples(metrics)
    assert found["streamer_records_total", "main"] == 9
    assert found["streamer_records_total", "audits"] == 100
    assert found["streamer_lag_records", "audits", "1"] == 8
    assert metrics.snapshot()["streamer_lag_records"] == {("0",): 4, ("5",): 1}
    assert metrics.snapshot()["streamer_watermark_age_seconds"] == {(): 1.5}
    assert metrics.snapshot()["streamer_settled_total"] == {("no task applies",): 2}


@dataclass
class Spans:
    made: int = 12
    dropped: dict[str, int] = field(default_factory=lambda: {"refused": 3})


def test_lost_spans_are_told() -> None:
    metrics, spans = Metrics(), Spans()
    metrics.watch_spans(spans)
    spans.made = 15
    found = samples(metrics)
    assert found["streamer_spans_total",] == 15
    assert found["streamer_spans_dropped_total", "refused"] == 3


def test_a_budget_shows_what_is_left_and_what_is_spent() -> None:
    metrics = Metrics(["intent"])
    metrics.budget("intent", 25, 0.75)
    found = samples(metrics)
    assert found["streamer_judge_budget_calls", "intent"] == 25
    assert found["streamer_judge_budget_spent_ratio", "intent"] == 0.75


def test_of_a_models_own_metrics_the_documented_ones_are_passed_on() -> None:
    registry = CollectorRegistry()
    of = {"labelnames": ["model_name", "engine"], "registry": registry}
    Gauge("vllm:num_requests_running", "Theirs.", **of).labels("one", "0").set(3)
    prompts = Counter("vllm:prompt_tokens", "Theirs.", **of)
    for number, name in enumerate(("one", "two")):
        prompts.labels(name, str(number)).inc(100 + number)
    seconds = Histogram("vllm:time_to_first_token_seconds", "Theirs.", buckets=[1, 2], **of)
    seconds.labels("one", "0").observe(1.5)
    Gauge("vllm:lora_requests_info", "Theirs.", **of).labels("one", "0").set(1)
    metrics = Metrics()
    metrics.watch_model(registry.collect)
    of_vllm = {name: value for name, value in samples(metrics).items() if "vllm" in name[0]}
    assert of_vllm == {
        ("vllm:num_requests_running", "0", "one"): 3,
        ("vllm:prompt_tokens_total", "0", "one"): 100,
        ("vllm:prompt_tokens_total", "1", "two"): 101,
        ("vllm:time_to_first_token_seconds_bucket", "0", "one", "1.0"): 0,
        ("vllm:time_to_first_token_seconds_bucket", "0", "one", "2.0"): 1,
        ("vllm:time_to_first_token_seconds_bucket", "0", "one", "+Inf"): 1,
        ("vllm:time_to_first_token_seconds_count", "0", "one"): 1,
        ("vllm:time_to_first_token_seconds_sum", "0", "one"): 1.5,
    }


def test_every_family_is_published_as_it_is_described() -> None:
    published = {
        family.name: (family.type, family.documentation)
        for family in text_string_to_metric_families(Metrics().render().decode())
    }
    described = {
        family.name.removesuffix("_total"): (family.kind, family.meaning) for family in FAMILIES
    }
    assert published == described
