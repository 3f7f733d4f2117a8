"""The table: one writer per key of the topic whose last record is the state."""
