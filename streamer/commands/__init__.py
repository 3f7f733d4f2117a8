"""Verbs that read a log: each joins the settings, the file and what is computed of it."""
