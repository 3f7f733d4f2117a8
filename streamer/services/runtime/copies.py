"""How much memory a record takes while it is worked on, in bytes for each byte of it."""

# Measured with tickets of 1 MB that hold an emoji, which makes four bytes of every character:
# tests/slow/test_memory.py repeats it. A ticket's text and fields, whatever the tasks are ...
TICKET = 6
# ... and for each task: its encoded text, a request to each of three workers with what gRPC copies
# of it, a judge's request with the text twice, and the batch that goes to Kafka.
TASK = 14

REQUEST = 16
"""Of a judge's request or an answer: read once, and told about once."""


def ticket_copies(tasks: int) -> int:
    """Of a ticket that so many tasks are about."""
    return TICKET + TASK * tasks
