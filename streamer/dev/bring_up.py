"""Brings a stack up, and trains on the way what isn't trained yet."""

from collections.abc import Callable
from concurrent.futures import Future

from streamer.config import Settings
from streamer.dev.stack import Stack
from streamer.learn.train import train

Say = Callable[[str], None]


def bring_up(stack: Stack, say: Say, *, own_workers: bool, seed: int = 1) -> None:
    """Start every part and return when all are ready; raises what the first to fail raised.

    Training keeps what was made of the same data before, and leaves out tasks without data, the
    workers where these are not ours (`own_workers`), and a judge of another kind than classifier:
    that model is the user's. The judge loads for half a minute, so it starts first, and the workers
    are trained meanwhile. The table runs where its topic is named.
    """
    tasks = trainable(stack.settings)
    parts = {"judge": stack.settings.judge.kind == "classifier", "workers": own_workers}
    trained = [part for part, ours in parts.items() if ours and tasks]
    for part in trained:
        train.check(stack.settings, what=part, tasks=tasks)
    # First, because a missing Java should not be told after minutes of training.
    stack.start("kafka")
    stack.make_topics()
    if stack.settings.topics.current is not None:
        stack.start("table")
    if "judge" in trained:
        say("training the judge, where its data has changed")
        train.run(stack.settings, what="judge", tasks=tasks, seed=seed, kept=False)
    say(
        "starting the judge: it asks the endpoint what it can"
        if stack.settings.judge.kind == "endpoint"
        else "starting the judge: vLLM takes half a minute"
    )
    judge = stack.begin("judge")
    if "workers" in trained:
        say("training the workers, where their data has changed")
        train.run(stack.settings, what="workers", tasks=tasks, seed=seed, kept=False)
    say("starting Triton and classify")
    stack.start("triton")
    stack.start("classify")
    # Nothing waits for the monitor: without it tickets are labelled all the same.
    stack.begin("monitor").add_done_callback(lambda begun: say(_about_monitor(stack, begun)))
    judge.result()


def _about_monitor(stack: Stack, begun: "Future[None]") -> str:
    if error := begun.exception():
        return f"there is no monitor: {str(error).splitlines()[0]}"
    return f"watch it on {stack.services['monitor'].url}"


def trainable(settings: Settings) -> list[str]:
    """Names of the tasks that have data to train on."""
    return [name for name, task in settings.tasks.items() if task.data is not None]
