"""How much of everything a rate of tickets needs, and what a burst does to the judge's queue."""
