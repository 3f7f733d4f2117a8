"""The release `desk` as pods on this machine."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from streamer.dev.kafka import Kafka
from tests.k8s.chart import one, rendered
from tests.k8s.pods.pod import Pod
from tests.stage import until

# As names of Services, they would lead to what runs here on loopback.
SEGMENTS = "segments.source=image,config.tasks.intent.segments=/segments/1"
COMPONENTS = ("workers", "judge", "classify", "table", "monitor")
HOSTS = ("kafka-kafka-bootstrap", "desk-workers.labels.svc")


class Desk:
    """The pods of the chart by component, not started; the topics are there."""

    def __init__(self, folder: Path, kafka: Kafka) -> None:
        self.kafka = kafka
        self._folder = folder
        self._objects = rendered("--set", SEGMENTS)
        self.pods = {name: self._pod(name) for name in COMPONENTS}

    def __enter__(self) -> "Desk":
        job = self._made(one(self._objects, "Job", "desk-topics")["spec"]["template"]["spec"])
        job.start()
        assert job.child.wait(120)
        assert job.child.returncode == 0, job.log
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        running = [pod for pod in self.pods.values() if pod.child.running]
        with ThreadPoolExecutor() as pool:
            # At once, or each waits for the grace of those before it.
            list(pool.map(Pod.stop, running))

    async def ready(self, *components: str, within_s: float = 240) -> None:
        """Start pods and wait until their readiness probes pass."""
        for name in components:
            self.pods[name].start()

        async def pass_all() -> bool:
            return all(self.pods[name].passes("readinessProbe") for name in components)

        await until(pass_all, within_s)

    def _pod(self, component: str) -> Pod:
        deployment = one(self._objects, "Deployment", f"desk-{component}")
        return self._made(deployment["spec"]["template"]["spec"])

    def _made(self, spec: dict[str, object]) -> Pod:
        return Pod(spec, self._objects, self._folder, HOSTS)
