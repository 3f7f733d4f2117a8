"""Alert rules and dashboard: valid by the real promtool, and about metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.observe.families import FAMILIES
from streamer.observe.metrics import Metrics
from streamer.services.monitor.metrics import MonitorMetrics
from tests.ops.promql import labels, metrics

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
ALERTS = OPS / "prometheus" / "alerts.yaml"
TESTS = OPS / "prometheus" / "alerts.test.yaml"
DASHBOARD: dict[str, Any] = json.loads((OPS / "grafana" / "streamer.json").read_text())
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
]
TARGETS = [
    (panel["title"], target["expr"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]
EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in RULES] + TARGETS
OF_PROMETHEUS = {"job", "instance", "le"}

KNOWN = {family.name: set(family.labels) for family in FAMILIES}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    assert found, "promtool isn't installed: make tools (Debian: apt-get install prometheus)"
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def unknown(expression: str) -> set[str]:
    """Metrics, and labels of them, that no service has."""
    found = metrics(expression)
    have = OF_PROMETHEUS.union(*(KNOWN.get(name, ()) for name in found))
    return (found - set(KNOWN)) | (labels(expression) - have)


def test_the_rules_are_valid(promtool: str) -> None:
    done = run(promtool, "check", "rules", "--lint-fatal", ALERTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_and_does_not_fire_as_its_tests_say(promtool: str) -> None:
    done = run(promtool, "test", "rules", TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_both_tests() -> None:
    cases = [
        (case["alertname"], bool(case["exp_alerts"]))
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    wanted = {(rule["alert"], fires) for rule in RULES for fires in (True, False)}
    assert set(cases) == wanted, f"{TESTS.name} needs a case that fires and one that does not"


def test_rules_that_never_fire_fail_each_of_these(promtool: str, tmp_path: Path) -> None:
    dead = yaml.safe_load(ALERTS.read_text())
    for group in dead["groups"]:
        for rule in group["rules"]:
            rule["expr"] = f"({rule['expr']}) and vector(0) > 1"
    (tmp_path / ALERTS.name).write_text(yaml.safe_dump(dead))
    shutil.copy(TESTS, tmp_path)
    done = run(promtool, "test", "rules", tmp_path / TESTS.name)
    failed = set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr))
    assert failed == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"].startswith("docs/runbooks/")


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_what_is_asked_for_exists(where: str, expression: str) -> None:
    assert metrics(expression)
    assert unknown(expression) == set()


def test_what_does_not_exist_is_found() -> None:
    assert unknown("rate(streamer_lables_total[5m])") == {"streamer_lables_total"}
    assert unknown("sum by (pod) (streamer_in_flight)") == {"pod"}
    assert unknown('streamer_in_flight{topic="a"}') == {"topic"}


def test_it_is_exposed() -> None:
    exposed = (Metrics().render() + MonitorMetrics().render()).decode()
    types = set(re.findall(r"^# TYPE ([\w:]+) ", exposed, re.MULTILINE))
    assert {name for _, expression in EXPRESSIONS for name in metrics(expression)} <= types


def test_the_dashboards_expressions_are_valid(promtool: str, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": plain(expression)}
        for number, (_, expression) in enumerate(TARGETS)
    ]
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = run(promtool, "check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


def plain(expression: str) -> str:
    for variable, value in (("$__rate_interval", "5m"), ("$task", ".*"), ("$job", ".*")):
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression


def test_the_dashboard_names_no_data_source_of_ours() -> None:
    assert DASHBOARD["uid"] is None
    assert DASHBOARD["id"] is None
    found = list(sources(DASHBOARD))
    assert found
    assert {source["uid"] for source in found} == {"${datasource}"}
    assert "datasource" in {variable["name"] for variable in DASHBOARD["templating"]["list"]}


def sources(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("datasource"), dict):
            yield node["datasource"]
        for inner in node.values():
            yield from sources(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from sources(inner)


def test_panels_have_ids_of_their_own_and_lie_beside_each_other() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
