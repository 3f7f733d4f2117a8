"""What can go wrong with a worker, sorted by what to do about it."""

import grpc

from streamer.errors import ModelError

_CRASHES = (
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)


class Outage(ModelError):
    """The worker failed, was late or broke its contract: ask again. It says nothing of a ticket."""

    def __init__(self, model: str, why: str, todo: str = "look into Triton's log") -> None:
        super().__init__(f"worker {model}: {why}; {todo}")
        self.model = model


class Misfit(Outage):
    """No model, or none that can be this worker: a mistake at start, an outage later."""


class Crash(Outage):
    """The worker failed or was late on a request: an outage, or a ticket that it can't bear."""


class Nonsense(Crash):
    """The answer isn't what the worker contract says: no worker at all, if a canary gets it too."""


class Refused(ModelError):
    """The worker refuses this very request, and would again: one of its rows is to blame."""

    def __init__(self, model: str, why: str) -> None:
        super().__init__(f"worker {model} refuses a request: {why}; look at the ticket's text")
        self.model = model
        self.why = why


class WorkerOut(ModelError):
    """The worker has been out for longer than the stream waits for it."""

    def __init__(self, model: str, open_s: float, cause: ModelError | None) -> None:
        super().__init__(f"worker {model} has been out for {open_s:.0f} s: {cause}")
        self.model = model
        self.open_s = open_s
        self.cause = cause


def fault(model: str, error: grpc.RpcError) -> ModelError:
    """Sort the error of a call.

    Most are outages: connection refused, queue full and shutting down (UNAVAILABLE), a dead stub
    or an exception in the model (INTERNAL), an unload under way (NOT_FOUND with "no available
    versions"). Inference changes nothing, so asking again is always safe.
    """
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return Refused(model, details)
    if code is grpc.StatusCode.NOT_FOUND and "no available versions" not in details:
        why, todo = f"Triton doesn't know it ({details})", "correct the model's name or version"
        return Misfit(model, why, f"{todo} in the configuration, or look into Triton's log")
    if code is grpc.StatusCode.UNIMPLEMENTED:
        todo = "let triton.url name the gRPC port of a Triton that serves it"
        return Misfit(model, f"its server can't be asked like this ({details})", todo)
    kind = Crash if code in _CRASHES else Outage
    return kind(model, f"{code.name} {details}")
