"""The handshake against models of a real Triton that are no workers, and such as are."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from streamer.dev.ports import free_port
from streamer.dev.triton import Triton
from streamer.errors import ConfigError
from streamer.workers.breaker import Breaker
from streamer.workers.faults import WorkerOut
from streamer.workers.handshake import handshake
from streamer.workers.triton import TritonClient
from streamer.workers.wire import TextTensor
from streamer.workers.worker import Worker
from tests.conftest import ECHO_LABELS

TEXT = 'input { name: "TEXT" data_type: TYPE_STRING dims: [ 1 ] }'
PROBS = 'output { name: "PROBS" data_type: TYPE_FP32 dims: [ 4 ] label_filename: "labels.txt" }'
OTHER_OUTPUT = 'output { name: "SCORES" data_type: TYPE_FP32 dims: [ 4 ] }'
OTHER_INPUT = 'input { name: "MASK" data_type: TYPE_INT32 dims: [ 1 ] }'
ROW = [0.1, 0.2, 0.3, 0.4]
NAN = float("nan")

Load = Callable[..., str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    folder = tmp_path_factory.mktemp("odd")
    write(folder / "models", "good")
    ports = [free_port() for _ in range(3)]
    with Triton(
        folder / "state",
        folder / "models",
        backends=Path(__file__).parent / "kinds",
        grpc_port=ports[0],
        http_port=ports[1],
        metrics_port=ports[2],
        explicit_control=True,
    ) as triton:
        yield triton


@pytest.fixture
def load(server: Triton) -> Iterator[Load]:
    """Loads a model of this configuration, which goes again after the test; returns its name."""
    loaded: set[str] = set()

    def one(*lines: str, **parameters: object) -> str:
        write(server.log.parents[1] / "models", "odd", *lines, **parameters)
        server.load("odd")
        loaded.add("odd")
        return "odd"

    yield one
    for name in loaded:
        server.unload(name)


@pytest.fixture
async def client(server: Triton) -> AsyncIterator[TritonClient]:
    made = TritonClient(server.url)
    yield made
    await made.close()


def write(models: Path, name: str, *lines: str, **parameters: object) -> None:
    (models / name / "1").mkdir(parents=True, exist_ok=True)
    (models / name / "labels.txt").write_text("".join(f"{label}\n" for label in ECHO_LABELS))
    config = [f'name: "{name}"', 'backend: "odd"', *(lines or ("max_batch_size: 64", TEXT, PROBS))]
    for key, value in {"row": ROW, **parameters}.items():
        said = json.dumps(json.dumps(value))
        config.append(f'parameters {{ key: "{key}" value {{ string_value: {said} }} }}')
    (models / name / "config.pbtxt").write_text("\n".join(config))


@pytest.mark.parametrize(
    ("lines", "most_rows"),
    [
        (("max_batch_size: 8", TEXT, OTHER_OUTPUT, PROBS), 8),
        (("max_batch_size: 1", TEXT, PROBS), 1),
        (("max_batch_size: 64", TEXT, OTHER_INPUT.replace("}", "optional: true }"), PROBS), 64),
        (("max_batch_size: 0", TEXT.replace("[ 1 ]", "[ 1, 1 ]"), PROBS.replace("4", "-1, 4")), 1),
    ],
)
async def test_a_worker_is_met_with_the_rows_that_it_takes(
    load: Load, client: TritonClient, lines: tuple[str, ...], most_rows: int
) -> None:
    met = await handshake(client, load(*lines), ECHO_LABELS)
    assert (met.version, met.most_rows) == ("1", most_rows)


async def test_without_batches_of_tritons_own_any_number_may_be_asked(
    load: Load, client: TritonClient
) -> None:
    text, probs = TEXT.replace("[ 1 ]", "[ -1, 1 ]"), PROBS.replace("4", "-1, 4")
    met = await handshake(client, load("max_batch_size: 0", text, probs), ECHO_LABELS)
    assert met.most_rows > 1_000_000


def batch(*lines: str) -> tuple[str, ...]:
    return ("max_batch_size: 64", *lines)


@pytest.mark.parametrize(
    ("lines", "parameters", "said"),
    [
        (batch(TEXT, OTHER_OUTPUT), {}, "no output PROBS of TYPE_FP32;"),
        (batch(TEXT, PROBS.replace("FP32", "FP16")), {"size": 2}, "but of TYPE_FP16"),
        (batch(TEXT, PROBS.replace("FP32", "FP64")), {"size": 8}, "but of TYPE_FP64"),
        (batch(TEXT, PROBS.replace("FP32", "STRING")), {}, "but of TYPE_STRING"),
        (batch(TEXT, PROBS.split(" label")[0] + " }"), {}, "names no labels.*label_filename"),
        (batch(TEXT.replace("TEXT", "WORDS"), PROBS), {}, "no input TEXT of TYPE_STRING, .*WORDS"),
        (batch(TEXT.replace("STRING", "UINT8"), PROBS), {}, "but of TYPE_UINT8"),
        (batch(TEXT, OTHER_INPUT, PROBS), {}, "it wants an input MASK"),
        (batch(TEXT.replace("[ 1 ]", "[ 2 ]"), PROBS), {}, "refuses a canary: .*TEXT"),
        (batch(TEXT, PROBS, "sequence_batching { }"), {}, "refuses a canary: .*correlation ID"),
        (batch(TEXT, PROBS, "model_transaction_policy { decoupled: true }"), {}, "decoupled"),
        (("max_batch_size: 0", TEXT.replace("1", "3, 1"), PROBS), {}, "takes 3 rows"),
        (batch(TEXT, PROBS), {"row": [1.5, -3.0, 0.2, 4.0]}, "-3 to 4, in sum 2.7; .*softmax"),
        (batch(TEXT, PROBS), {"row": [0.5, -0.1, 0.3, 0.3]}, "-0.1 to 0.5, in sum 1; "),
        (batch(TEXT, PROBS), {"row": [0.5, NAN, 0.5, 0.0]}, "in sum nan"),
        (batch(TEXT, PROBS), {"row": [0.1, 0.1, 0.1, 0.1]}, "in sum 0.4"),
        (batch(TEXT, PROBS.replace("4", "1, 4")), {"shape": [-1, 1, 4]}, r"\[2, 1, 4\]"),
        (batch(TEXT, PROBS), {"rows": 1}, r"\[1, 4\] where \[2, 4\]"),
    ],
)
async def test_what_can_not_be_a_worker_is_a_mistake_at_start(
    load: Load,
    client: TritonClient,
    lines: tuple[str, ...],
    parameters: dict[str, object],
    said: str,
) -> None:
    with pytest.raises(ConfigError, match=f"worker odd.*{said}"):
        await handshake(client, load(*lines, **parameters), ECHO_LABELS)


def worker(client: TritonClient, events: Counter[str], **settings: float) -> Worker:
    breaker = Breaker(threshold=2, first_s=0.01, longest_s=0.05)
    return Worker(
        client,
        "odd",
        ECHO_LABELS,
        breaker=breaker,
        on_event=lambda event: events.update([event]),
        **settings,
    )


async def ask_until_out(asked: Worker) -> None:
    while True:
        await asked.answer(TextTensor([b"x"] * 5))


async def test_a_second_output_disturbs_no_ticket(load: Load, client: TritonClient) -> None:
    asked = worker(client, Counter())
    load("max_batch_size: 64", TEXT, OTHER_OUTPUT, PROBS)
    await asked.start()
    answer = await asked.answer(TextTensor([b"x"] * 5))
    assert answer.probs.argmax(axis=1).tolist() == [3] * 5
    await asked.close()


async def test_a_model_that_answers_some_batches_with_nonsense_holds_nothing_up(
    load: Load, client: TritonClient
) -> None:
    load(rows=2)
    asked = worker(client, Counter())
    await asked.start()
    answer = await asked.answer(TextTensor([b"x"] * 5))
    assert answer.probs.argmax(axis=1).tolist() == [3] * 5
    await asked.close()


async def test_a_model_that_comes_to_answer_nonsense_stays_out_and_says_why(
    load: Load, client: TritonClient
) -> None:
    load()
    events: Counter[str] = Counter()
    asked = worker(client, events, abstain_after_s=0.3)
    await asked.start()
    load("max_batch_size: 64", TEXT, PROBS.replace("4", "1, 4"), shape=[-1, 1, 4])
    with pytest.raises(WorkerOut, match=r"PROBS FP32 \[2, 1, 4\], not PROBS FP32 \[N,K\]"):
        await ask_until_out(asked)
    assert (events["opened"], events["closed"]) == (1, 0)
    await asked.close()
