"""A file is read whole, or the line is named at which it can't be."""

import gzip
from pathlib import Path

import pytest

from streamer.errors import ConfigError
from streamer.records.rows import rows


def read(folder: Path, content: str | bytes, name: str = "t.csv") -> list[dict[str, object]]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [dict(row) for row in rows(folder / name)]


@pytest.mark.parametrize("content", [
    "id,text\n1,a\n2,\"never closed\n3,b\n4,c\n",
    "id,text\n1,a\n2,\"never closed\n3,\"b\"\n4,\"c\"\n",
    "id,text\n1,a\n2,\"closed\" and on\n3,b\n",
    "id,text\r\n1,a\r\n2,\"a \"quoted\" word\"\r\n3,b\r\n",
])  # fmt: skip
def test_a_quote_that_takes_other_rows_is_told_with_its_line(content: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"t\.csv: line 3: .*quote"):
        read(tmp_path, content)


def test_the_line_is_that_of_the_file_where_cells_have_line_breaks(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 5: "):
        read(tmp_path, 'id,text\n1,"a\nb\nc"\n2,"never closed\n3,b\n')


@pytest.mark.parametrize("row", ["2", "2,b,c", "2,b,", "2,b,c,d"])
def test_a_row_of_another_width_is_told_with_its_line(row: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"line 3: \d cells?, and the header names 2"):
        read(tmp_path, f"id,text\n1,a\n{row}\n3,c\n")


@pytest.mark.parametrize(("separator", "shown"), [(";", "';'"), ("\t", r"'\\t'"), ("|", r"'\|'")])
@pytest.mark.parametrize("first", ["", "\ufeff"])
def test_another_separator_is_named(separator: str, shown: str, first: str, tmp_path: Path) -> None:
    lines = [["id", "subject", "text"], ["1", "Login", "I cannot, ever"]]
    content = first + "\n".join(separator.join(line) for line in lines)
    with pytest.raises(ConfigError, match=f"line 1 .*separated by {shown}"):
        read(tmp_path, content)
    with pytest.raises(ConfigError, match=f"line 1 .*separated by {shown}"):
        read(tmp_path, f"sep={separator}\n{content}")


def test_commas_may_be_outnumbered_in_rows_but_not_in_the_header(tmp_path: Path) -> None:
    assert read(tmp_path, "id,text\n1,a;b;c|d\n") == [{"id": "1", "text": "a;b;c|d"}]


@pytest.mark.parametrize("kind", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="save it as UTF-8"):
        read(tmp_path, "id,text\n1,hello\n".encode(kind))


def test_a_column_that_comes_twice_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="names column 'text' twice"):
        read(tmp_path, "id,text,text\n1,a,b\n")


@pytest.mark.parametrize("content", [
    "id,text\n1,a\n2,b\n", "id,text\r\n1,a\r\n\r\n2,b", "\ufeffid,text\r1,a\r2,b\r",
    'id,text\n"1","a"\n  \n"2",b\n\n\n',
])  # fmt: skip
def test_what_is_whole_is_read(content: str, tmp_path: Path) -> None:
    assert read(tmp_path, content) == [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]


def test_odd_cells_are_kept_as_they_are(tmp_path: Path) -> None:
    odd = ['5" pipe', "a\x00b", " padded ", "x" * 200_000, "say \u201chello\u201d"]
    lines = "".join(f"{number},{cell}\n" for number, cell in enumerate(odd))
    assert [row["text"] for row in read(tmp_path, f"id,text\n{lines}")] == odd
    quoted = 'id,text\n1,"He said ""no"", twice\nand left"\n'
    assert read(tmp_path, quoted)[0]["text"] == 'He said "no", twice\nand left'


@pytest.mark.parametrize("content", ["", "\n\n", "id,text\n"])
def test_a_file_without_rows_has_none(content: str, tmp_path: Path) -> None:
    assert read(tmp_path, content) == []


def test_what_python_says_of_files_is_told_in_one_line(tmp_path: Path) -> None:
    whole = gzip.compress(b"id,text\n1,a\n" * 999)
    (tmp_path / "folder.csv").mkdir()
    damaged = {
        "cut.csv.gz": whole[:-9],
        "flipped.csv.gz": whole[:20] + bytes(30) + whole[50:],
        "plain.csv.gz": b"id,text\n",
    }
    for name, content in damaged.items():
        with pytest.raises(ConfigError, match=f"can't read .*{name}"):
            read(tmp_path, content, name)
    with pytest.raises(ConfigError, match=r"can't read .*folder\.csv"):
        list(rows(tmp_path / "folder.csv"))
