"""Which workers and which rule a ticket gets, by its segment."""
