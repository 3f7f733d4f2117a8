"""Dead letters: looked at, put back where they came from, or marked as done with."""
