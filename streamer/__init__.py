"""Real-time ticket tagging on Kafka: workers vote, a judge settles the rest."""
