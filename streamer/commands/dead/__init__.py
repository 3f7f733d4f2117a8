"""`streamer dead`: dead letters, shown and sent again."""
