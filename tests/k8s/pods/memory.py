"""What the kernel says of the memory of a container, in cgroups of the old and the new kind."""

import re
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


class Memory:
    """The cgroup of a process, which must run."""

    def __init__(self, pid: int) -> None:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        parts = [line.split(":", 2) for line in lines]
        paths = {kinds: path.lstrip("/") for _, kinds, path in parts}
        self._old = "memory" in paths
        self._folder = _CGROUPS / (f"memory/{paths['memory']}" if self._old else paths[""])

    @property
    def limit(self) -> int:
        """Bytes."""
        name = "memory.limit_in_bytes" if self._old else "memory.max"
        return int((self._folder / name).read_text())

    @property
    def kills(self) -> int:
        """How many of its processes were killed for want of memory."""
        name = "memory.oom_control" if self._old else "memory.events"
        found = re.search(r"^oom_kill (\d+)$", (self._folder / name).read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1])
