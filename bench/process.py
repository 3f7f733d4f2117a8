"""What the kernel knows about a running process."""

import os
import re
from pathlib import Path


def cpu_s(pid: int | None) -> float:
    """Seconds of CPU that the process has used, in user mode and in the kernel."""
    # The second field is the name in parentheses, which may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_s(pid: int | None) -> float:
    """The same of the process with all that it started and that still run."""
    # Each thread lists those that it started itself.
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    started = [int(child) for listed in threads for child in listed.read_text().split()]
    return cpu_s(pid) + sum(map(tree_cpu_s, started))


def peak_mb(pid: int | None) -> float:
    """The most resident memory that the process has had, in megabytes (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    if found is None:
        raise RuntimeError("the kernel does not say VmHWM: this benchmark needs Linux")
    return round(int(found[1]) * 1024 / 1e6, 1)
