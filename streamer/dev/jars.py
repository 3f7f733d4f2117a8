"""Kafka's jars, fetched once by Maven into the user's cache folder."""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.errors import ConfigError

KAFKA_VERSION = "4.2.0"
OLDEST_JAVA = 17

_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>streamer</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""
_INSTEAD = "or use a Kafka that runs already: --kafka host:port"


def kafka_jars(cache: Path | None = None) -> Path:
    """The folder with Kafka's jars; the first call fetches them (43 MB, some seconds).

    `cache` defaults to the user's cache folder. Raises ConfigError where Maven is missing or fails.
    """
    cache = cache or user_cache()
    folder = cache / f"kafka-{KAFKA_VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"kafka-{KAFKA_VERSION}.lock"):
            if not folder.exists():
                _fetch(cache, folder)
    return folder


def java() -> str:
    """The Java command; raises ConfigError when there is none or it is too old for Kafka."""
    home = os.environ.get("JAVA_HOME")
    command = shutil.which("java", path=f"{home}/bin" if home else None)
    if command is None:
        raise ConfigError(
            f"Java isn't installed: install Java {OLDEST_JAVA} or newer (Debian and Ubuntu:"
            f" apt install openjdk-{OLDEST_JAVA}-jre-headless), {_INSTEAD}"
        )
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    release = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    if release is None or int(release[1]) < OLDEST_JAVA:
        version = release[1] if release else "unknown"
        raise ConfigError(
            f"Java is too old: {command} is version {version}, Kafka {KAFKA_VERSION} needs"
            f" {OLDEST_JAVA} or newer; install it, {_INSTEAD}"
        )
    return command


def user_cache() -> Path:
    """Where downloads are kept for all of the user's projects."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "streamer"


def _fetch(cache: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ConfigError(
            "Maven isn't installed, and Kafka's jars come by it: install it (Debian and Ubuntu:"
            f" apt install maven), {_INSTEAD}"
        )
    draft = Path(tempfile.mkdtemp(prefix="kafka-", dir=cache))
    try:
        (draft / "pom.xml").write_text(_POM)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        command = [maven, "-q", "-B", "-f", str(draft / "pom.xml"), *goal, "-DoutputDirectory=lib"]
        result = subprocess.run(command, capture_output=True, text=True, cwd=draft, check=False)
        if result.returncode != 0:
            output = (result.stdout + result.stderr).strip()[-1500:]
            raise ConfigError(
                f"Maven couldn't fetch Kafka's jars; repair that, {_INSTEAD}\n{output}"
            )
        (draft / "lib").rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Maven's own repository doesn't bear two processes that fetch the same files at once.
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
