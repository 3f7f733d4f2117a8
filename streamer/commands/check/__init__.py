"""`streamer check`: whether configuration, Kafka, models and tickets fit together."""
