"""Makes `LayeredBert` known to vLLM, in this process and in the engine's."""


def register() -> None:
    """The `vllm.general_plugins` entry point; vLLM calls it in each of its processes."""
    from vllm import ModelRegistry

    # Named, not imported: importing it here would pull the model code into every process.
    ModelRegistry.register_model(
        "LayeredBert", "streamer.judging.classifier.layered_bert:LayeredBert"
    )
