"""Aligning workers: they learn from the judge, so that they agree with it more."""
