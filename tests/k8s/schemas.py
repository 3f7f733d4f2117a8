"""JSON Schemas of all kinds: from the API server's own OpenAPI document, and from the CRDs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.k8s.go_tools import KEDA_CRDS, OPENAPI, PROMETHEUS_CRDS

CRDS = (
    KEDA_CRDS.path / "keda.sh_scaledobjects.yaml",
    KEDA_CRDS.path / "keda.sh_triggerauthentications.yaml",
    PROMETHEUS_CRDS.path / "monitoring.coreos.com_servicemonitors.yaml",
    PROMETHEUS_CRDS.path / "monitoring.coreos.com_prometheusrules.yaml",
    # Strimzi's is in no Go module.
    Path(__file__).parent / "crds" / "kafkatopics.yaml",
)

Schema = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """As Kubernetes reads YAML: a lone "=" is a text, and no mark of YAML 1.1."""


_Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)


def write_schemas(folder: Path) -> None:
    """One file for each kind, `kind-group-version.json`, in which unknown fields are errors."""
    document = json.loads(OPENAPI.path.read_text())
    definitions = {name: _strict(found) for name, found in document["definitions"].items()}
    # A quantity or a port may be a number, which this document doesn't say.
    definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = {"type": ["string", "number"]}
    definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = {"type": ["string", "integer"]}
    (folder / "definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, found in definitions.items():
        for kind in found.get("x-kubernetes-group-version-kind", ()):
            reference = {"$ref": f"definitions.json#/definitions/{name}"}
            _write(folder, kind["kind"], kind["group"], kind["version"], reference)
    for crd in crds():
        for version in crd["spec"]["versions"]:
            schema = _strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"metadata": {"type": "object"}}
            names = crd["spec"]["names"]
            _write(folder, names["kind"], crd["spec"]["group"], version["name"], schema)


def crds() -> Iterator[Schema]:
    """The definitions of the kinds that the chart uses and Kubernetes doesn't have."""
    for file in CRDS:
        yield yaml.load(file.read_text(), _Loader)


def _write(folder: Path, kind: str, group: str, version: str, schema: Schema) -> None:
    # kubeconform takes "v1" for the group of what has none.
    name = f"{kind.lower()}-{group or version}-{version}.json"
    (folder / name).write_text(json.dumps(schema))


def _strict(schema: Any) -> Any:
    """The same, with no other properties than those that it names."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"].replace("#/", "definitions.json#/")}
    made = {key: _strict(value) for key, value in schema.items()}
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and "additionalProperties" not in schema and not open_ended:
        made["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    return made
