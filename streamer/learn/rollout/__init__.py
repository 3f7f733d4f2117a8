"""`streamer learn`: shadow, promote, roll back."""
