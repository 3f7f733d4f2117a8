"""Runs inside vLLM's workers, each of which is made one of these too."""

from typing import Any


class CacheCleaner:
    """Empties what a worker keeps of texts that it has read."""

    model_runner: Any

    def streamer_clean_cache(self) -> None:
        """Nothing may be in the engine meanwhile, and no block may count as cached."""
        for cache in self.model_runner.kv_caches:
            cache.zero_()
