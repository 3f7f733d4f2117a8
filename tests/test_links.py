"""Every link in a page leads to a file of the repository and, where it names one, to a heading."""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
_CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1|``.*?``|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^ {0,3}\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HTML = re.compile(r"<[a-z]+\s[^>]*?(?:href|src)=[\"']([^\"']+)", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"(?<![\w/.-])docs/[\w/-]+\.\w+")


def files() -> set[Path]:
    """All files that Git knows, or would with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path for name in listed.split("\0") if name and (path := ROOT / name).is_file()}


FILES = files()
FOLDERS = {folder for file in FILES for folder in file.parents if folder.is_relative_to(ROOT)}
PAGES = sorted(path for path in FILES if path.suffix == ".md")
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


def links(text: str) -> Iterator[str]:
    """What a page links to, but for other addresses."""
    bare = _CODE.sub("", text)
    targets = [one or other for one, other in _LINK.findall(bare)] + _HTML.findall(bare)
    yield from (target for target in targets if not re.match(r"[a-z][a-z+.-]*:", target))


def anchors(text: str) -> set[str]:
    """The names of a page's headings, as they are made where pages are shown."""
    made, seen = set(), Counter[str]()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        made.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return made


def broken(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    return [link for link in links(text) if not leads_somewhere(page, link)]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if target not in FILES:
        return target in FOLDERS and not anchor
    return not anchor or (target.suffix == ".md" and anchor in anchors(target.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_every_page_of_the_docs_is_linked_from_another() -> None:
    linked = {
        (page.parent / unquote(link).partition("#")[0]).resolve()
        for page in PAGES
        for link in links(page.read_text(encoding="utf-8"))
        if not link.startswith("#")
    }
    assert [page for page in PAGES if (ROOT / "docs") in page.parents and page not in linked] == []


def test_every_page_that_code_names_is_there() -> None:
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        if ROOT / "tests" not in path.parents
        if path.suffix in {".py", ".yaml", ".tpl", ".txt", ".toml", ".json", ".js", ".html"}
        for name in _NAMED.findall(path.read_text(encoding="utf-8"))
        if ROOT / name not in FILES
    }
    assert missing == set()


@pytest.mark.parametrize(
    "link",
    [
        "[a](docs/nowhere.md)",
        "[a](docs/design.md#nowhere)",
        "[a](#nowhere)",
        "[a](../elsewhere.md)",
        "[a](docs/Design.md)",
        "[a](LICENSE#nowhere)",
        "![a](docs/nowhere.svg 'title')",
        "[a]\n\n[a]: docs/nowhere.md",
        '<img src="docs/nowhere.svg">',
        "[`a`](docs/nowhere.md)",
        "[a](/docs/design.md)",
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str) -> None:
    assert len(broken(ROOT / "README.md", f"# Title\n\n{link}\n")) == 1


@pytest.mark.parametrize(
    "link",
    [
        "[a](docs/design.md#decisions-and-why)",
        "[a](#your-own-models)",
        "[a](docs)",
        "[a](https://example.test/)",
        "`[a](docs/nowhere.md)`",
        "```\n[a](docs/nowhere.md)\n```",
    ],
)
def test_a_link_that_leads_somewhere_is_left_alone(link: str) -> None:
    assert broken(ROOT / "README.md", f"# Title\n\n{link}\n") == []


def test_headings_that_come_again_are_counted() -> None:
    text = "# A `b`, c\n## Do\n## Do\n```\n# no heading\n```\n## [Link](x.md)s\n"
    assert anchors(text) == {"a-b-c", "do", "do-1", "links"}
