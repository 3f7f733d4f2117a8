"""What a judge is worth on labelled tickets, asked in several ways: which of them to serve."""
