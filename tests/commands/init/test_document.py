import string
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.commands.init.document import Answers, document
from streamer.config import load
from streamer.records.labelset import unfit

# Without $: ${NAME} in a configuration means the environment.
TEXT = st.text(st.characters(exclude_categories=["C"], exclude_characters="$,"), min_size=1)
POINTER = st.text(string.ascii_letters + "~01_- ", min_size=1).map(lambda name: f"/{name}")
ANSWERS = st.builds(
    Answers,
    bootstrap=st.just("kafka.internal:9092,other:9092") | TEXT,
    topic=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,30}", fullmatch=True),
    id=POINTER,
    text=st.lists(POINTER, min_size=1, max_size=3).map(tuple),
    task=st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True),
    labels=st.lists(TEXT, min_size=2, max_size=5, unique=True)
    .filter(lambda labels: not unfit(labels))
    .map(tuple),
)


@settings(deadline=None)
@given(ANSWERS)
def test_what_is_written_reads_back_as_it_was_meant(answers: Answers) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "streamer.yaml"
        path.write_text(document(answers), encoding="utf-8")
        found = load(path)
    assert found.kafka.bootstrap == answers.bootstrap
    assert found.topics.tickets == answers.topic
    assert found.topics.labels == f"{answers.topic}.labels"
    assert (found.input.id, found.input.text) == (answers.id, answers.text)
    assert found.tasks.keys() == {answers.task}
    assert found.tasks[answers.task].labels == answers.labels
