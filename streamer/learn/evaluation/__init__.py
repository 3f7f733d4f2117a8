"""Compares rules on a log and writes what it finds as a page and as JSON."""
