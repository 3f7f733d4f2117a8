"""What is trained on the way up. Servers are left out: only what happens before them counts."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from streamer.config import Settings
from streamer.dev.bring_up import bring_up
from streamer.dev.stack import Part
from tests.learn.train.test_train import MODEL, brought, written

__all__ = ["written"]


class Unstarted:
    """A stack that takes note of what would have been started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started: list[str] = []
        self.services: dict[Part, object] = {}

    def start(self, *parts: Part) -> None:
        self.started += parts

    def begin(self, part: Part) -> "Future[None]":
        self.started.append(part)
        done: Future[None] = Future()
        if part == "monitor":
            done.set_exception(RuntimeError("left out"))
        else:
            done.set_result(None)
        return done

    def make_topics(self) -> None:
        pass


@pytest.mark.parametrize("kind", ["llm", "sequence"])
def test_the_model_of_the_users_is_served_and_none_is_trained_in_its_place(
    kind: str, tmp_path: Path, written: Callable[[str], Settings]
) -> None:
    settings, said = written(kind), []
    same = [brought(tmp_path / "mine", MODEL), brought(tmp_path / "heads" / "topic", MODEL)]
    stack = Unstarted(settings)
    bring_up(stack, said.append, own_workers=True)  # type: ignore[arg-type]  # as much as it needs
    assert all(one() for one in same)
    assert not (tmp_path / "started").exists()
    assert "judge" in stack.started
    assert not any("training the judge" in line for line in said)


def test_scores_are_said_when_something_was_trained_and_not_at_every_start(
    written: Callable[[str], Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = written("llm")
    for scores in (True, False):
        stack = Unstarted(settings)
        bring_up(stack, print, own_workers=True)  # type: ignore[arg-type]  # as much as it needs
        assert ("held-out scores" in capsys.readouterr().out) == scores
