"""The judge: vLLM inside the process, and probabilities over a task's labels out of it."""
