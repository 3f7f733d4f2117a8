"""The judge of `judge.kind: sequence`: a classifier fine-tuned from a language model."""
