"""The classify process: tickets in, agreed labels and judge requests out."""
