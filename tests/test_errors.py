import json

import pytest

from streamer.errors import in_words


def failed(code: str) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whichever it is
        exec(code, {"json": json})
    return caught.value


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("open('/nonexistent')", "No such file or directory"),
        ("open('/')", "Is a directory"),
        ("json.loads('{')", "it is cut off, or no JSON"),
        ("{}['router']", "it lacks 'router'"),
        ("raise KeyError('probs is not in the archive')", "probs is not in the archive"),
        ("[].shape", "its fields are not those of this release"),
        ("raise ValueError('it holds numbers')", "it holds numbers"),
        ("raise ValueError", "ValueError"),
        ("raise OSError('can\\'t load it')", "can't load it"),
    ],
)
def test_a_failure_is_a_sentence(code: str, said: str) -> None:
    assert in_words(failed(code)) == said
