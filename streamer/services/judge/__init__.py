"""The judge process: judge requests in, final labels out."""
