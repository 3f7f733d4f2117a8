"""Asks every model for a label of one text: a model whose process died still calls itself ready.

One that says itself that it is out (503) lives: it waits for an endpoint, and so may the others.
"""

import json
import sys
import urllib.error
import urllib.request

WITHIN_S = 5
TEXT = {"name": "TEXT", "datatype": "BYTES", "shape": [1, 1], "data": ["canary"]}
BODY = json.dumps({"inputs": [TEXT]}).encode()

base, *models = sys.argv[1:]
for model in models:
    try:
        with urllib.request.urlopen(f"{base}/v2/models/{model}/infer", BODY, WITHIN_S) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        if error.code != 503:
            sys.exit(f"{model} doesn't answer: {error}")
    except OSError as error:
        sys.exit(f"{model} doesn't answer: {error}")
