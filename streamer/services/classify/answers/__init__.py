"""People's answers: the second stream of the classify process."""
