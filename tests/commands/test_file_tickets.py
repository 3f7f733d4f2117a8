"""What `streamer send` makes of a file, and refuses before it sends anything."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from streamer.commands.file_tickets import FileTickets
from streamer.config import Settings, load
from streamer.errors import ConfigError

CONFIG = """
kafka: {start: earliest}
input: INPUT
tasks:
  topic: {labels: [a, b], workers: [one, two]}
"""


def settings(folder: Path, given: str = "{text: [/subject, /text]}") -> Settings:
    (folder / "streamer.yaml").write_text(CONFIG.replace("INPUT", given))
    return load(folder / "streamer.yaml", {})


def written(folder: Path, content: str) -> Path:
    file = folder / ("t.jsonl" if content.startswith("{") else "t.csv")
    file.write_text(content)
    return file


def reads_json(key: bytes | None, value: bytes, headers: Sequence[Any]) -> Mapping[str, Any]:
    found = orjson.loads(value)
    return {"id": found["ticket"]["number"], "text": found["ticket"]["words"]}


def reads_xml(key: bytes | None, value: bytes, headers: Sequence[Any]) -> Mapping[str, Any]:
    raise ValueError("no element found")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("id,text\n1,a\n2,\n3,c\n4,  \n", "refuse 2 of 4 rows, the first is row 2"),
        ("id,body\n1,a\n2,b\n", "2 of 2 rows.*'id', 'body'.*/subject, /text: correct `input`"),
        ('{"id": 1, "text": "a"}\n{"id": 2, "text": {"b": 1}}\n', "1 of 2 rows.*row 2"),
        ('{"id": 1, "text": "' + "a" * 2**20 + '"}\n', "1 of 1 rows.*limit is 1048576"),
        ('{"id": "' + "7" * 600 + '", "text": "a"}\n', "1 of 1 rows.*600 characters"),
    ],
)
def test_nothing_is_sent_of_a_file_of_which_classify_would_refuse_a_row(
    content: str, wanted: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"nothing was sent.*{wanted}"):
        FileTickets(settings(tmp_path), written(tmp_path, content)).check()


def test_a_ticket_too_large_for_kafka_is_refused(tmp_path: Path) -> None:
    given = settings(tmp_path, "{text: [/text], max_bytes: 9000000}")
    row = orjson.dumps({"id": 1, "text": "a" * 6_000_000}).decode()
    with pytest.raises(
        ConfigError, match=r"row 1 \(60000\d\d bytes, more than kafka\.max_record_bytes"
    ):
        FileTickets(given, written(tmp_path, row)).check()


def test_rows_keep_their_numbers_and_blank_ones_are_left_out(tmp_path: Path) -> None:
    found = FileTickets(settings(tmp_path), written(tmp_path, "id,text\n,a\n,\n7,c\n,d\n"))
    found.check()
    assert [(one.row, one.id) for one in found] == [(1, "1"), (3, "7"), (4, "4")]
    assert orjson.loads(next(iter(found)).value) == {"id": "1", "text": "a"}


def test_numbers_are_the_keys_that_they_are_to_classify(tmp_path: Path) -> None:
    ids = ("4711", "4711.0", "1e2", "-0.0", '"4711.0"')
    file = written(tmp_path, "".join(f'{{"id": {one}, "text": "a"}}\n' for one in ids))
    found = FileTickets(settings(tmp_path, "{}"), file)
    found.check()
    assert [one.id for one in found] == ["4711", "4711", "100", "0", "4711.0"]


def test_a_decoder_that_reads_json_is_asked_for_the_ids(tmp_path: Path) -> None:
    given = settings(tmp_path, "{decoder: tests.commands.test_file_tickets.reads_json}")
    row = '{"ticket": {"number": "T-1", "words": "hello"}}\n'
    found = FileTickets(given, written(tmp_path, row))
    found.check()
    assert [(one.id, one.value) for one in found] == [("T-1", orjson.dumps(orjson.loads(row)))]


def test_a_decoder_of_another_format_is_told_what_to_do(tmp_path: Path) -> None:
    given = settings(tmp_path, "{decoder: tests.commands.test_file_tickets.reads_xml}")
    with pytest.raises(ConfigError, match=r"row 1 .*reads_xml.*produce them in your own format"):
        FileTickets(given, written(tmp_path, '{"id": 1, "text": "a"}\n')).check()


def test_a_row_too_deep_to_be_written_is_told(tmp_path: Path) -> None:
    deep = '{"a":' * 400 + "1" + "}" * 400
    with pytest.raises(ConfigError, match="row 2 can't be written as JSON"):
        FileTickets(
            settings(tmp_path), written(tmp_path, f'{{"id":1,"text":"a"}}\n{deep}\n')
        ).check()
