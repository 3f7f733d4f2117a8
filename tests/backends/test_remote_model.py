"""A language model behind an endpoint as a worker: votes, abstentions and outages."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from streamer.backends import remote_model
from streamer.backends.remote import ASKS, Remote
from streamer.backends.remote_model import Away, RemoteModel
from streamer.errors import ModelError
from streamer.judging.endpoint import endpoint
from tests.backends.remote import configured, made
from tests.judging.endpoint.conftest import LABELS
from tests.judging.endpoint.served import Break, Served

TEXTS = [f"{name} {number}" for number in range(3) for name in LABELS.labels]
RIGHT = [LABELS.index[text.split()[0]] for text in TEXTS]
POISON = "billing poison"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again after a moment."""
    monkeypatch.setattr(endpoint, "AGAIN", 0.0)
    monkeypatch.setattr(remote_model, "PAUSE_S", 0.05)


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with Served().running() as server:
        yield server


async def version(folder: Path, server: Served, deadline: float = 10.0, **wanted: object) -> Path:
    config = configured(folder, LABELS.labels, deadline=deadline)
    return await asyncio.to_thread(made, config, server.url, **wanted)


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[RemoteModel]:
    model = RemoteModel(Remote.read(folder), folder)
    meeting = asyncio.create_task(model.keep_met())
    try:
        yield model
    finally:
        meeting.cancel()
        await asyncio.gather(meeting, return_exceptions=True)


async def here(model: RemoteModel, *texts: str) -> np.ndarray:
    """The answer, as soon as there is one."""
    for _ in range(600):
        try:
            return await model.probabilities(texts)
        except Away:
            await asyncio.sleep(0.05)
    raise AssertionError("it stays away")


async def away(model: RemoteModel, text: str) -> str:
    """Why there is no answer."""
    with pytest.raises(Away) as error:
        await model.probabilities([text])
    return str(error.value)


def only(broken: Break) -> Callable[[str, str], Break | None]:
    return lambda path, text: broken if "poison" in text else None


async def test_all_texts_are_asked_about_at_once(served: Served, tmp_path: Path) -> None:
    async with kept(await version(tmp_path, served)) as model:
        await here(model, "hello")
        served.takes, served.most_open = 0.5, 0
        probs = await model.probabilities(TEXTS)
        assert served.most_open == len(TEXTS)
    assert probs.dtype == np.float32
    assert probs.argmax(axis=1).tolist() == RIGHT
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)


async def test_a_slow_text_holds_up_no_other_request(served: Served, tmp_path: Path) -> None:
    async with kept(await version(tmp_path, served)) as model:
        await here(model, "hello")
        served.breaks = only("hang")
        slow = asyncio.create_task(model.probabilities([POISON, "account"]))
        assert (await model.probabilities(TEXTS)).argmax(axis=1).tolist() == RIGHT
        assert not slow.done()
        slow.cancel()


@pytest.mark.parametrize("broken", ["error", "nonsense", "half", "hang", "refuse", "moved"])
async def test_a_text_that_alone_gets_no_answer_abstains_and_no_other(
    served: Served, tmp_path: Path, broken: Break
) -> None:
    async with kept(await version(tmp_path, served, deadline=0.4)) as model:
        await here(model, "hello")
        served.breaks = only(broken)
        probs = await here(model, *TEXTS, POISON)
    assert probs[:-1].argmax(axis=1).tolist() == RIGHT
    assert np.isfinite(probs[:-1]).all()
    assert np.isnan(probs[-1]).all()


async def test_a_text_that_takes_the_endpoint_down_each_time_abstains(
    served: Served, tmp_path: Path
) -> None:
    down = iter(())

    def breaks(path: str, text: str) -> Break | None:
        nonlocal down
        if "poison" in text:
            down = iter(range(2))
            return "reset"
        return "error" if next(down, None) is not None else None

    async with kept(await version(tmp_path, served)) as model:
        await here(model, "hello")
        served.breaks = breaks
        assert np.isnan(await here(model, POISON)).all()


@pytest.mark.parametrize("broken", ["error", "half", "hang", "later"])
async def test_an_outage_is_no_abstention(served: Served, tmp_path: Path, broken: Break) -> None:
    async with kept(await version(tmp_path, served, deadline=0.4)) as model:
        await here(model, "hello")
        served.breaks = lambda path, text: broken
        assert "out of service" in await away(model, TEXTS[0])
        # Whoever comes meanwhile hears it at once, and costs the endpoint nothing.
        for text in TEXTS[1:]:
            assert "out of service" in await away(model, text)
        assert not set(TEXTS[1:]) & set(served.judged())
        served.breaks = lambda path, text: None
        assert (await here(model, *TEXTS)).argmax(axis=1).tolist() == RIGHT


async def test_who_asks_again_costs_nothing(served: Served, tmp_path: Path) -> None:
    async with kept(await version(tmp_path, served)) as model:
        first = await here(model, *TEXTS)
        before = len(served.asked)
        np.testing.assert_array_equal(await model.probabilities(TEXTS), first)
        assert len(served.asked) == before


async def test_another_model_is_away_until_the_first_one_is_back(
    served: Served, tmp_path: Path
) -> None:
    async with kept(await version(tmp_path, served)) as model:
        await here(model, "hello")
        was, served.build = served.build, "vllm-0.33.0-ffffffff"
        why = await away(model, TEXTS[0])
        for _ in range(600):
            if "streamer worker" in why:
                break
            await asyncio.sleep(0.05)
            why = await away(model, TEXTS[0])
        assert "vllm-0.33.0-ffffffff" in why
        assert "streamer worker" in why
        served.build = was
        assert (await here(model, *TEXTS)).argmax(axis=1).tolist() == RIGHT


async def test_an_endpoint_that_is_not_up_yet_is_waited_for(tmp_path: Path) -> None:
    server = Served()
    async with server.running():
        folder = await version(tmp_path, server)
    async with kept(folder) as model:
        await asyncio.sleep(0.1)
        assert "waits for its endpoint" in await away(model, TEXTS[0])
        async with server.running(port=int(server.url.rpartition(":")[2])):
            assert (await here(model, *TEXTS)).argmax(axis=1).tolist() == RIGHT


async def test_the_key_is_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_KEY", "sk-0123456789")
    async with Served(key="sk-0123456789").running() as server:
        folder = await version(tmp_path, server, key_from="WORKER_KEY")
        assert "sk-0123456789" not in (folder / ASKS).read_text()
        async with kept(folder) as model:
            assert (await here(model, *TEXTS)).argmax(axis=1).tolist() == RIGHT
        monkeypatch.delenv("WORKER_KEY")
        async with kept(folder) as model:
            await asyncio.sleep(0.1)
            assert "set WORKER_KEY" in await away(model, TEXTS[0])


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"task": "topic"'])
async def test_a_version_that_is_damaged_is_not_served(
    served: Served, tmp_path: Path, content: bytes | None
) -> None:
    folder = await version(tmp_path, served)
    (folder / ASKS).unlink()
    if content is not None:
        (folder / ASKS).write_bytes(content)
    with pytest.raises(ModelError, match="streamer worker"):
        Remote.read(folder)


async def test_a_version_has_the_number_of_what_it_asks(served: Served, tmp_path: Path) -> None:
    folder = await version(tmp_path, served)
    moved = folder.rename(folder.with_name("1"))
    with pytest.raises(ModelError, match=f"is of version {folder.name}"):
        Remote.read(moved)
