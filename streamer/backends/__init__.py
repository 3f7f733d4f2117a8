"""Workers as Triton serves them: a folder with a model.py for each kind, and what they share."""
