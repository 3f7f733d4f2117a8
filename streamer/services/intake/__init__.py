"""From a record of the user's own shape to a ticket."""
