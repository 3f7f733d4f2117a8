"""Classifies old tickets again, beside the live stream."""

from streamer.services.backfill.serve import BackfillOptions, run

__all__ = ["BackfillOptions", "run"]
