"""A causal language model of a million parameters, trained from scratch on a task's examples.

It runs in the judge environment. It exists so that the way of a language-model judge can be walked
on every machine; it says nothing about large models.
"""
