"""Kafka, and nothing about models: reading, publishing, offsets, dead letters."""
