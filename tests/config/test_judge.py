from pathlib import Path
from typing import Any

import pytest

from tests.config.written import changed, complaint


@pytest.mark.parametrize(
    ("dotted", "value", "line"),
    [
        (
            "judge",
            {"kind": "endpoint"},
            "judge: kind endpoint needs endpoint.url: say where the model is served",
        ),
        (
            "judge",
            {"kind": "endpoint", "endpoint": {"url": "http://a", "timeout": 20}},
            "judge.endpoint.timeout: 20 s are not less than kafka.drain (20 s), in which a process "
            "must finish before it gives partitions up: lower it, or raise kafka.drain",
        ),
        (
            "judge",
            {"kind": "endpoint", "endpoint": {"url": "http://a"}, "examples": 2},
            "judge: examples are found by an encoder in the judge's own environment, and kind "
            "endpoint has none: leave them out, or put some into the prompt",
        ),
        (
            "judge.endpoint",
            {"url": "http://a", "ca_file": "a.pem"},
            "judge.endpoint: ca_file: http uses no certificates: write https in url",
        ),
        (
            "judge.endpoint.key",
            "sk-0123456789",
            "judge.endpoint.key: a key doesn't belong into the file: write ${JUDGE_KEY}, and set "
            "that variable to it",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(
    path: Path, dotted: str, value: Any, line: str
) -> None:
    assert complaint(path, changed(dotted, value)) == f"FILE: {line}"
