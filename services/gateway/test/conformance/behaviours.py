"""Runs the behaviours of a client script one after the other, and prints as JSON what became of each."""

import hashlib
import json
import os
import sys
import traceback
import uuid

ENDPOINT = os.environ["ENDPOINT"]
"""host:port of the gateway."""
URL = f"{os.environ['SCHEME']}://{ENDPOINT}"

_behaviours = []


def behaviour(name):
    """Names what a function asserts. The test runner finds the names by reading the script."""

    def register(function):
        _behaviours.append((name, function))
        return function

    return register


def run():
    """To be called at the end of a script: the last line of the output is {name: null or what went wrong}."""
    outcomes = {}
    for name, function in _behaviours:
        try:
            function()
            outcomes[name] = None
        except Exception:
            outcomes[name] = traceback.format_exc()
    json.dump(outcomes, sys.stdout)


def bucket_name():
    return f"master.py-{uuid.uuid4().hex[:10]}.default"


def sample(size, seed="tusk"):
    """Bytes that look random and are the same for the same size and seed."""
    blocks = (hashlib.sha256(f"{seed}:{offset}".encode()).digest() for offset in range(0, size, 32))
    return b"".join(blocks)[:size]
