"""What vLLM is to know of us, in this process and in the engine's."""

from streamer.judging.engine.end_with_parent import end_with_parent


def register() -> None:
    """The `vllm.general_plugins` entry point; vLLM calls it in each of its processes."""
    from vllm import ModelRegistry

    end_with_parent()
    # Named, not imported: importing it here would pull the model code into every process.
    ModelRegistry.register_model(
        "LayeredBert", "streamer.judging.classifier.layered_bert:LayeredBert"
    )
