"""Classifies old tickets again, beside the live stream."""

from streamer.services.backfill.service import Wish, run

__all__ = ["Wish", "run"]
