"""Teaching a language model of the user's a task's labels: its last layers learn from examples.

It runs in the judge environment. The base is read and never written to; what comes of it is a whole
model in a folder of its own, with the prompts that it is to be asked by.
"""
