"""Examples, logged ballots and gold labels, as learning reads them."""
