"""The judge of `judge.kind: llm`: a language model that is asked in words."""
