"""`streamer learn`: from a log to better versions, in steps that a person confirms."""
