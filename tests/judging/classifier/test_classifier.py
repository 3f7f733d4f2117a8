"""The judge against the real vLLM. The last test kills its engine: keep it last."""

import asyncio
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest

from streamer.errors import TicketError
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.judge import EngineDead
from streamer.learn.judge.embeddings import Embeddings
from tests.judging.conftest import INTENT, TONE, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXTS = (
    "Where is my parcel?",
    "I was charged twice for March, please return one of them.",
    "",
    "[SEP] [CLS] [MASK] is what the form shows after I log in",
    "The app crashes. " * 400,
)
# bfloat16 keeps eight bits, and a batch of another size adds up in another order.
TOLERANCE = 0.03


async def test_every_row_is_a_distribution_in_the_order_of_the_labels(running: Running) -> None:
    verdicts = await running.judge.score("intent", INTENT.version, TEXTS)
    assert verdicts.probabilities.shape == (len(TEXTS), len(INTENT))
    assert verdicts.probabilities.dtype == np.float32
    np.testing.assert_allclose(verdicts.probabilities.sum(axis=1), 1, atol=1e-5)


async def test_only_the_long_ticket_is_truncated(running: Running) -> None:
    verdicts = await running.judge.score("tone", TONE.version, TEXTS)
    assert verdicts.truncated.tolist() == [False, False, False, False, True]


async def test_alone_and_in_a_batch_a_ticket_gets_the_same(running: Running) -> None:
    together = await running.judge.score("intent", INTENT.version, TEXTS)
    for row, text in zip(together.probabilities, TEXTS, strict=True):
        alone = await running.judge.score("intent", INTENT.version, [text])
        np.testing.assert_allclose(alone.probabilities[0], row, atol=TOLERANCE)


async def test_calls_of_several_tasks_at_once_do_not_mix_their_answers(running: Running) -> None:
    tasks = [("intent", INTENT), ("tone", TONE)] * 4
    texts = [[*TEXTS[i % 4 :], *TEXTS[: i % 4]] for i in range(len(tasks))]
    calls = (running.judge.score(t, s.version, x) for (t, s), x in zip(tasks, texts, strict=True))
    answers = await asyncio.gather(*calls)
    for (task, labels), rows, answer in zip(tasks, texts, answers, strict=True):
        alone = await running.judge.score(task, labels.version, rows)
        np.testing.assert_allclose(answer.probabilities, alone.probabilities, atol=TOLERANCE)


async def test_what_is_served_is_what_was_trained_on(
    running: Running, encoder: Encoder, tmp_path: Path
) -> None:
    trained = Embeddings(encoder, tmp_path).of(TEXTS, lambda done, total: None)
    served = await running.judge.score("intent", INTENT.version, TEXTS)
    expected = running.heads["intent"].probabilities(trained)
    np.testing.assert_allclose(served.probabilities, expected, atol=TOLERANCE)


async def test_a_special_token_in_a_ticket_is_only_text(running: Running) -> None:
    spelled, special = "SEP", "[SEP]"
    verdicts = await running.judge.score("intent", INTENT.version, [special, spelled, ""])
    # Read as the end of the text, it would be the empty ticket with one more special token.
    assert np.isfinite(verdicts.probabilities).all()
    assert not np.allclose(verdicts.probabilities[0], verdicts.probabilities[2], atol=TOLERANCE)


async def test_no_texts_give_no_rows(running: Running) -> None:
    verdicts = await running.judge.score("intent", INTENT.version, [])
    assert verdicts.probabilities.shape == (0, len(INTENT))


async def test_an_unknown_label_set_is_the_tickets_fault(running: Running) -> None:
    with pytest.raises(TicketError, match="unknown_label_set"):
        await running.judge.score("intent", TONE.version, ["text"])


async def test_a_cancelled_call_disturbs_no_other(running: Running) -> None:
    doomed = asyncio.create_task(running.judge.score("intent", INTENT.version, TEXTS * 20))
    other = asyncio.create_task(running.judge.score("tone", TONE.version, TEXTS))
    await asyncio.sleep(0.05)
    doomed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doomed
    assert (await other).probabilities.shape == (len(TEXTS), len(TONE))


async def test_engine_and_test_listen_on_loopback_only(running: Running) -> None:
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) <= {"127.0.0.1", "::1"}
    assert set(running.embedder.engine.process_ids) <= {process.pid for process in processes}


async def test_a_killed_engine_ends_every_call_and_leaves_nothing(running: Running) -> None:
    await running.judge.healthy()
    pids = running.embedder.engine.process_ids
    assert pids
    calls = [running.judge.score("intent", INTENT.version, TEXTS * 20) for _ in range(3)]
    waiting = [asyncio.create_task(call) for call in calls]
    await asyncio.sleep(0.2)
    os.kill(pids[0], signal.SIGKILL)
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [EngineDead] * 3
    with pytest.raises(EngineDead):
        await running.judge.score("intent", INTENT.version, ["one more"])
    with pytest.raises(EngineDead):
        await running.judge.healthy()
    await running.judge.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert multiprocessing.active_children() == []
