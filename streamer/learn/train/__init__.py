"""`streamer train`: the workers of a task from its examples."""
