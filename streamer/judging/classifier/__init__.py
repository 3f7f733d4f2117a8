"""The judge of `judge.kind: classifier`: an encoder with one linear head a task."""
