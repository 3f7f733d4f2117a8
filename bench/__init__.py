"""Benchmarks: what the services cost beside a loop that does as little as possible."""
