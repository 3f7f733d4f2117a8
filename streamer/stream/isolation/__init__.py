"""Finding the record that kills the process, and setting it aside."""
