"""How long people's labels stand, as the tasks say."""

from collections.abc import Mapping

import orjson

from streamer.config.tasks import Task
from streamer.services.table.said import Word


class People:
    """Says of a person's label whether it is carried to its ticket's newer messages."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks

    def stays(self, word: Word) -> bool:
        """Not where the task has it end there, or its label set has lost the label."""
        task = self._tasks.get(orjson.loads(word.body)["task"])
        if task is None:
            return True
        return task.person != "until_next_message" and word.label in task.label_set.index
