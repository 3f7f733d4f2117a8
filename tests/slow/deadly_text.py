"""Two texts that vLLM's engine does not survive, once the plugin for them is installed."""

from pathlib import Path

KILLED, RAISED = "This one is killed.", "This one is raised."


def install(folder: Path) -> None:
    """Make `DeadlyText` a plugin of every vLLM that has `folder` on its path."""
    made = folder / "deadly_text-1.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly-text\nVersion: 1\n")
    point = "deadly_text = tests.slow.deadly_processor:DeadlyText"
    (made / "entry_points.txt").write_text(f"[vllm.logits_processors]\n{point}\n")
