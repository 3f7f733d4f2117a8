"""Writes the bundled sample of help desk tickets from an authored grammar.

``python -m sample.write`` from the repository's root rewrites the committed CSV files.
"""
