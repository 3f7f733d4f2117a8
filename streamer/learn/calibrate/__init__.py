"""`streamer calibrate`: rules whose promises hold."""
