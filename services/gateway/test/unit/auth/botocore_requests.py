"""Prints requests that botocore has signed, one JSON a line: seeded, so that each run prints the same but for the time."""

import json
import random
import sys
from urllib.parse import quote, urlsplit

from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

CHARACTERS = "aB0-._~ /+&=?#%!'()*,;:@$\"<>[]{}|\\^`éß漢😀\t"
SUB_RESOURCES = ["acl", "uploads", "versionId", "partNumber", "uploadId", "tagging", "response-content-type"]


def word(choices, least, most):
    return "".join(choices.choice(CHARACTERS) for _ in range(choices.randint(least, most)))


def request(choices, credentials, kind):
    path = "/bucket/" + quote(word(choices, 1, 20), safe="/~")
    names = SUB_RESOURCES if kind.startswith("v2") else [*SUB_RESOURCES, "prefix", "a", "a-b", "A"]
    query = [(choices.choice(names), word(choices, 0, 6)) for _ in range(choices.randint(0, 4))]
    if kind == "v2-query":
        query = query[:1]
    search = "&".join(
        quote(name, safe="-_.~") + (f"={quote(value, safe='-_.~')}" if value or kind.startswith("v4") else "")
        for name, value in dict(query).items()
    )
    url = f"http://localhost:30600{path}" + (f"?{search}" if search else "")
    headers = {}
    if "query" not in kind:
        headers = {f"x-amz-meta-{number}": f"a  b {number}" for number in range(choices.randint(0, 3))}
    signed = AWSRequest(method=choices.choice(["GET", "PUT", "DELETE"]), url=url, headers=headers, data=b"")
    signers = {
        "v4": lambda: S3SigV4Auth(credentials, "s3", "eu-central-1"),
        "v4-query": lambda: S3SigV4QueryAuth(credentials, "s3", "eu-central-1", expires=600),
        "v2": lambda: HmacV1Auth(credentials),
        "v2-query": lambda: HmacV1QueryAuth(credentials, expires=600),
    }
    signers[kind]().add_auth(signed)
    parts = urlsplit(signed.prepare().url)
    fields = [(name.lower(), str(value)) for name, value in signed.headers.items()]
    if "host" not in dict(fields):
        fields.append(("host", parts.netloc))
    return {"kind": kind, "method": signed.method, "rawPath": parts.path, "rawQuery": parts.query, "headers": fields}


choices = random.Random(1)
credentials = Credentials("a-token/with+signs", "a-token/with+signs")
for number in range(int(sys.argv[1])):
    kind = ("v4", "v4-query", "v2", "v2-query")[number % 4]
    print(json.dumps(request(choices, credentials, kind)))
