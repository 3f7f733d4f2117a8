"""Asking the workers, and counting what they say."""
