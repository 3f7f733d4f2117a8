"""A judge behind an endpoint as configured: what its answers can't carry is refused."""

from pathlib import Path
from typing import Any

import pytest

from streamer.config.settings import Settings
from streamer.errors import ConfigError
from streamer.judging.loading import loaded
from tests.judging.endpoint.served import Served

PROMPT = "instructions: You sort tickets.\nlabels: {account: a, billing: b}\n"


def settings(folder: Path, url: str, **task: Any) -> Settings:
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "prompts" / "topic.yaml").write_text(PROMPT)
    topic = {"labels": ["account", "billing"], "workers": ["one", "two"], **task}
    given = {
        "kafka": {"start": "earliest"},
        "judge": {"kind": "endpoint", "endpoint": {"url": url}},
        "tasks": {"topic": topic},
    }
    return Settings.model_validate(given).rooted(folder)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"review_below": 0.5}, "review_below"),
        ({"after": {"kind": "v3", "alpha": 0.2}}, "after (v3, alpha 0.2)"),
        ({"after": {"kind": "opt", "alpha": 0}}, "after (opt, alpha 0)"),
    ],
)
async def test_rules_that_need_probabilities_are_refused_where_there_are_none(
    task: dict[str, Any], said: str, tmp_path: Path
) -> None:
    async with Served(("said",)).running() as served:
        with pytest.raises(ConfigError) as refused:
            await loaded(settings(tmp_path, served.url, **task), patience=3)
        assert said in str(refused.value)
    async with Served(("listed",)).running() as served:
        judge = await loaded(settings(tmp_path, served.url, **task), patience=3)
        await judge.stop()


async def test_the_judges_own_label_may_stand_always(tmp_path: Path) -> None:
    async with Served(("said",)).running() as served:
        judge = await loaded(settings(tmp_path, served.url), patience=3)
        await judge.start()
        await judge.stop()
