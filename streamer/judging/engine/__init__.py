"""What all kinds of judges share: vLLM, watched, and the tokens that it is given."""
