"""What can't work is refused before it reaches a cluster, with a line that says what to do."""

from pathlib import Path

import pytest

from tests.k8s.chart import PROFILES, refusal, rendered

ENDPOINT = "config.judge.kind=endpoint,config.judge.endpoint.url=https://models.internal/v1"
REFUSED = {
    # Keys and values that there are not.
    "judge.keda.metadata.lagThresold=5": "additional properties 'lagThresold' not allowed",
    "judge.keda.lagThresold=5": "additional properties 'lagThresold' not allowed",
    "clasify.replicas=2": "additional properties 'clasify' not allowed",
    "topics.mode=kafka": "value must be one of 'job', 'strimzi', 'none'",
    "workers.models.source=s3": "value must be one of 'image', 'claim', 'store'",
    "segments.source=s3": "value must be one of 'none', 'image', 'claim', 'store'",
    "segments.path=/a": "additional properties 'path' not allowed",
    "judge.keda.pollingInterval=0": "minimum: got 0, want 5",
    "config.kafak.bootstrap=a:1": "at '/config': additional properties 'kafak' not allowed",
    "workers.gpu.resource=gpu": "'gpu' does not match pattern",
    "judge.sharedMemory=1GB": "'1GB' does not match pattern",
    "podSecurity.runAsUser=0": "minimum: got 0, want 1",
    # What can't be together.
    "classify.terminationGracePeriodSeconds=29": "kafka.drain and 10 s to leave the group need 30",
    "config.kafka.drain=60": "judge.terminationGracePeriodSeconds: 60 is too short",
    "workers.preStopSeconds=20": "preStopSeconds, exitTimeoutSeconds and 5 s need 55",
    "judge.replicas=7": "topics.partitions: 6 are fewer than judge.replicas (7)",
    "classify.replicas=6": "are fewer than classify.replicas and classify.maxSurge (7)",
    "table.replicas=7": "topics.partitions: 6 are fewer than table.replicas (7)",
    "table.terminationGracePeriodSeconds=29": "table.terminationGracePeriodSeconds: 29 is too",
    "table.maxSurge=1": "additional properties 'maxSurge' not allowed",
    "judge.keda.enabled=true,judge.keda.maxReplicas=7": "fewer than judge.keda.maxReplicas (7)",
    "judge.keda.enabled=true,judge.keda.minReplicas=5": "5 is more than maxReplicas (4)",
    "judge.keda.enabled=true,judge.keda.fallback.replicas=5": "fallback.replicas: 5 is more than",
    "config.kafka.member=me": "config.kafka.member: leave it out",
    "config.kafka.security.password=s3cret": "a password doesn't belong into a ConfigMap",
    "config.monitor.token=0123456789abcdef": "name the token's Secret in monitor.token",
    "config.kafka.group=${GROUP}": "the configuration uses ${GROUP}, and no Secret is named",
    "config.kafka.bootstrap=localhost:9092": "localhost:9092 is the pod itself",
    "workers.enabled=false": "say where your Triton is",
    "config.triton.url=triton:8001": "the chart's own Triton is enabled",
    "workers.models.source=claim": "workers.models.claim: is missing",
    "judge.models.source=store": "judge.models.store: image and command are missing",
    "segments.source=claim": "segments.claim: is missing",
    "segments.source=store": "they copy the segments to /segments",
    "config.tasks.intent.segments=/segments/1": "intent.segments: no pod has /segments/1; say in",
    "segments.source=image,config.tasks.intent.segments=segments/1": "such as /segments/1",
    "segments.source=image,config.tasks.intent.segments=/segments/": "is not in what is mounted",
    "config.judge.kind=endpoint": "config.judge.endpoint.url: is missing",
    f"{ENDPOINT},judge.gpu.count=1": "judge.gpu.count: 1 is for a model in the pod",
    f"{ENDPOINT},config.judge.endpoint.key=sk-1": "a key doesn't belong into a ConfigMap",
    f"{ENDPOINT},config.judge.endpoint.url=http://localhost:8000": "is the pod itself",
    "topics.mode=strimzi": "Strimzi asks for the number of copies",
    "configFile=kafka: null": "it names no tasks",
    "configFile=- a": "configFile: not YAML",
}


@pytest.mark.parametrize(("values", "why"), REFUSED.items())
def test_it_is_refused_with_a_reason(values: str, why: str) -> None:
    assert why in refusal("--set", values)


def test_the_bounds_themselves_are_taken() -> None:
    rendered(
        "--set",
        "classify.terminationGracePeriodSeconds=30,classify.replicas=5,judge.replicas=6,"
        "table.replicas=6,workers.preStopSeconds=15",
    )
    # No table, no pods of it.
    rendered("--set", "table.replicas=7,config.topics.current=null")


def test_all_problems_are_told_at_once() -> None:
    said = refusal("--set", "judge.replicas=9,classify.terminationGracePeriodSeconds=1")
    assert "judge.replicas (9)" in said
    assert "classify.terminationGracePeriodSeconds: 1 is too short" in said


def test_keda_needs_the_secrets_that_kafka_asks_for() -> None:
    said = refusal("--set", "judge.keda.authentication=null", profile=PROFILES[2])
    assert "judge.keda.authentication: Kafka is reached by SASL_SSL" in said


def test_an_older_cluster_would_drop_the_models_in_silence() -> None:
    assert "image volumes are not on before Kubernetes 1.35" in refusal("--kube-version", "1.34.9")
    claim = "workers.models.source=claim,workers.models.claim=a"
    judge = "judge.models.source=claim,judge.models.claim=a"
    rendered("--kube-version", "1.34.9", "--set", f"{claim},{judge}")


def test_that_goes_for_segments_too() -> None:
    models = "workers.enabled=false,config.triton.url=t:8001,judge.enabled=false"
    said = refusal("--kube-version", "1.34.9", "--set", f"{models},segments.source=image")
    assert "segments.source: image volumes are not on before Kubernetes 1.35" in said
    rendered("--kube-version", "1.34.9", "--set", models)


def test_a_file_of_another_language_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "streamer.yaml"
    broken.write_text("kafka: {start: earliest\n")
    assert "configFile: not YAML" in refusal("--set-file", f"configFile={broken}")
