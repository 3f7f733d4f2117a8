"""Finds kinds of tickets in a log, and says how workers and judge fare on each."""
