"""The monitor, apart from Kafka and the web: windows of sums, and what they say."""
