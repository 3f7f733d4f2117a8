"""Pure functions from the workers' answers to a decision: no I/O, numpy only."""
