"""Logged tickets decided once more: as they were, or by another policy."""
