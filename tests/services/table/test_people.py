"""How long people's labels stand, by the configuration."""

import pytest

from streamer.config.tasks import Task
from streamer.services.table.people import People
from streamer.services.table.said import word
from tests.services.table.histories import label


def people(**task: object) -> People:
    known = {"labels": ["billing", "bug"], "workers": ["a", "b"], **task}
    return People({"intent": Task.model_validate(known)})


@pytest.mark.parametrize(
    ("found", "name", "task", "stays"),
    [
        (people(), "bug", "intent", True),
        (people(), "question", "intent", False),
        (people(), "question", "another", True),
        (people(person="until_next_message"), "bug", "intent", False),
        (people(person="until_next_message"), "bug", "another", True),
    ],
)
def test_a_persons_label_stays_while_its_task_has_it_and_says_so(
    found: People, name: str, task: str, stays: bool
) -> None:
    given = label(1, 2, name, task=task)
    assert found.stays(word(given.to_json())) is stays
