"""`streamer judge --test`: what the judge is worth on labelled tickets, and how to ask it."""
