"""What docs/ says about the topics is what the code does."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from streamer.cli import main
from streamer.commands.asyncapi import document
from streamer.commands.channels import CHANNELS
from streamer.config.kafka import Topics
from streamer.records.schema import RECORDS
from tests.records.contract.published import ROOT, published

# The specification's own schemas, Apache-2.0; npm keeps what it fetched once.
OFFICIAL = "@asyncapi/specs@6.11.1"
HINT = "run python -m tests.records.contract.published; docs/contract.md lists what is new"

DOCUMENT = document(Topics())


@pytest.mark.parametrize("path", published(), ids=str)
def test_the_published_files_are_up_to_date(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == published()[path], HINT


def test_the_command_prints_it_with_the_topics_of_a_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "streamer.yaml"
    config.write_text(
        "kafka: {start: earliest}\ntopics: {labels: my.labels}\n"
        "tasks: {t: {labels: [a, b], workers: [one, two]}}\n"
    )
    assert main(["schema", "--asyncapi", "--config", str(config)]) in (0, None)
    assert yaml.safe_load(capsys.readouterr().out)["channels"]["labels"]["address"] == "my.labels"


def test_every_topic_and_record_is_in_it() -> None:
    assert {channel.topic for channel in CHANNELS} == set(Topics.model_fields)
    told = {message.record for channel in CHANNELS for message in channel.messages}
    # A ticket is the user's own record; ours is inside the judge's requests.
    assert told - {None} == set(RECORDS) - {"ticket"}
    assert "Ticket" in DOCUMENT["components"]["schemas"]


def test_every_channel_says_all_that_a_subscriber_needs() -> None:
    for channel in DOCUMENT["channels"].values():
        assert channel["x-written-by"]
        assert channel["x-read-by"]
        assert channel["x-delivery"]
        assert channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]
    for message in DOCUMENT["components"]["messages"].values():
        assert message["bindings"]["kafka"]["key"]["description"]
        assert message["examples"]


def test_only_what_stands_may_be_compacted() -> None:
    compacted = [channel.topic for channel in CHANNELS if "compact" in channel.policies]
    assert compacted == ["labels", "current"]


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert found
    for reference in found:
        node: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


@pytest.mark.parametrize(
    "message", DOCUMENT["components"]["messages"].values(), ids=lambda m: m["name"]
)
def test_examples_meet_the_schemas_beside_them(message: dict[str, Any]) -> None:
    for one in message["examples"]:
        for part in ("headers", "payload"):
            if part in one:
                whole = message[part] | {"components": DOCUMENT["components"]}
                jsonschema.Draft7Validator.check_schema(whole)
                jsonschema.Draft7Validator(whole).validate(one[part])


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> jsonschema.Draft7Validator:
    npm = shutil.which("npm")
    assert npm is not None, "the specification's own schema comes by npm: run `make tools`"
    folder = tmp_path_factory.mktemp("asyncapi")
    command = [npm, "pack", "--silent", "--prefer-offline", OFFICIAL]
    packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        member = archive.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        return jsonschema.Draft7Validator(json.load(member))


def test_the_document_meets_the_official_schema(official: jsonschema.Draft7Validator) -> None:
    official.validate(DOCUMENT)


def test_the_official_schema_refuses_what_is_no_such_document(
    official: jsonschema.Draft7Validator,
) -> None:
    wrong = DOCUMENT["channels"]["labels"] | {"written_by": "classify"}
    assert not official.is_valid(DOCUMENT | {"channels": {"labels": wrong}})
    assert not official.is_valid({key: DOCUMENT[key] for key in DOCUMENT if key != "info"})
