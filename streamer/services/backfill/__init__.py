"""Classifies old tickets again, beside the live stream."""

from streamer.services.backfill.serve import Wish, run

__all__ = ["Wish", "run"]
