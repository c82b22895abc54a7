"""Pachyderm's own client on a branch, in each way that it has to write: prints as JSON what it was refused, and what it has left there."""

import base64
import json
import os
import random
import sys
import time
import traceback

from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

host, port = os.environ["PACHD"].split(":")
name, repo_name, project = os.environ["BUCKET"].split(".")
steps = int(os.environ["STEPS"])
choices = random.Random(int(os.environ["SEED"]))

client = Client(host=host, port=int(port))
repo = pfs.Repo(name=repo_name, type="user", project=pfs.Project(name=project))
branch = pfs.Branch(name=name, repo=repo)
head = pfs.Commit(repo=repo, branch=branch)
files = {}
refused = []
started = 0


class Slow:
    """A file that comes in pieces, each a while after the one before."""

    def __init__(self, content, pieces, pause):
        self.pieces = [content[at::pieces] for at in range(pieces)]
        self.content = b"".join(self.pieces)
        self.pause = pause

    def read(self, _=-1):
        if not self.pieces:
            return b""
        time.sleep(self.pause)
        return self.pieces.pop(0)


def path():
    return f"/outsider/{choices.randrange(12)}"


def content():
    return choices.randbytes(choices.choice([10, 1000, 300_000]))


def start():
    global started
    commit = client.pfs.start_commit(branch=branch)
    started += 1
    return commit


def put(commit):
    where, what = path(), content()
    client.pfs.put_file_from_bytes(commit=commit, path=where, data=what)
    files[where] = what


def put_slowly(commit):
    where, what = path(), Slow(content(), 6, 0.05)
    client.pfs.put_file_from_file(commit=commit, path=where, file=what)
    files[where] = what.content


def delete(commit):
    where = path()
    client.pfs.delete_file(commit=commit, path=where)
    files[where] = None


def by_hand():
    """Starts a commit, writes into it, also by slow streams, and finishes it."""
    commit = start()
    for write in choices.sample([put, put, put_slowly, delete], 3):
        write(commit)
    client.pfs.finish_commit(commit=commit)
    return commit


def by_hand_and_waits():
    client.pfs.wait_commit(by_hand())


def starts_and_finishes():
    client.pfs.finish_commit(commit=start())


def at_once():
    put(head)


def slowly():
    put_slowly(head)


def deletes():
    delete(head)


def looks():
    client.pfs.inspect_branch(branch=branch)
    newest = next(iter(client.pfs.list_commit(repo=repo, number=1)))
    client.pfs.wait_commit(newest.commit)


actions = [by_hand, by_hand, by_hand_and_waits, starts_and_finishes, at_once, slowly, slowly, deletes, looks]
for step in range(steps):
    action = choices.choice(actions)
    try:
        action()
    except Exception:
        refused.append(f"{action.__name__}: {traceback.format_exc()}")

left = {where: base64.b64encode(what).decode() if what is not None else None for where, what in files.items()}
json.dump({"refused": refused, "started": started, "left": left}, sys.stdout)
