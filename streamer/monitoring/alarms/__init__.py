"""What a person should look at: each kind of alarm from the windows alone."""
