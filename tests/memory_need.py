"""How much memory classify takes: what docs/configuration.md says of `flow.max_bytes`."""

BASE = 200 * 2**20
"""The process itself, what Kafka's client has fetched, and what one poll brings too much."""


def classify_bytes(max_bytes: int) -> int:
    """Bytes that the process takes at most; its answers have an eighth of the bound for them."""
    return BASE + max_bytes * 9 // 8
