"""boto3 against the gateway, as it is configured by its environment."""

import base64
import datetime
import hashlib
import io
import os
import urllib.error
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from behaviours import URL, behaviour, bucket_name, run, sample

UNSIGNED_CLIENT = os.environ.get("AWS_ACCESS_KEY_ID") is None
UNSIGNED_CONFIG = Config(signature_version=UNSIGNED) if UNSIGNED_CLIENT else None
# set-up of boto3
s3 = boto3.client("s3", endpoint_url=URL, config=UNSIGNED_CONFIG)
# end of the set-up


def fresh_bucket(*keys):
    bucket = bucket_name()
    s3.create_bucket(Bucket=bucket)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return error.response
    raise AssertionError(f"not refused with {code}")


def body_of(bucket, key, **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


@behaviour("an object of 0 B, 1 B and 1 MB comes back byte for byte")
def sizes():
    bucket = fresh_bucket()
    for size in (0, 1, 1_000_000):
        content = sample(size)
        put = s3.put_object(Bucket=bucket, Key=f"{size}.bin", Body=content)
        got = s3.get_object(Bucket=bucket, Key=f"{size}.bin")
        assert got["Body"].read() == content
        assert got["ContentLength"] == size
        assert got["ETag"] == put["ETag"]
        head = s3.head_object(Bucket=bucket, Key=f"{size}.bin")
        assert (head["ContentLength"], head["ETag"]) == (size, put["ETag"])
        assert head["LastModified"] is not None


@behaviour("a checksum stands in front of its body, and behind it over TLS")
def trailers():
    sent = {}

    def look(request, **_):
        sent.update({name.lower(): value for name, value in request.headers.items()})

    bucket = fresh_bucket()
    s3.meta.events.register("before-send.s3.PutObject", look)
    s3.put_object(Bucket=bucket, Key="summed", Body=io.BytesIO(b"summed"), ChecksumAlgorithm="CRC32")
    s3.meta.events.unregister("before-send.s3.PutObject", look)
    trailer = sent.get("x-amz-trailer", b"")
    assert trailer == (b"x-amz-checksum-crc32" if URL.startswith("https") else b""), sent
    assert body_of(bucket, "summed") == b"summed"


@behaviour("20 MB go up in parts and come back byte for byte")
def multipart():
    bucket = fresh_bucket()
    content = sample(20_000_000)
    config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(content), bucket, "big.bin", Config=config)
    back = io.BytesIO()
    s3.download_fileobj(bucket, "big.bin", back, Config=config)
    assert back.getvalue() == content
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@behaviour("parts can be listed, and an aborted upload leaves nothing")
def parts():
    bucket = fresh_bucket()
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big.bin")["UploadId"]
    name = {"Bucket": bucket, "Key": "big.bin", "UploadId": upload}
    first = s3.upload_part(PartNumber=1, Body=sample(5 << 20), **name)
    last = s3.upload_part(PartNumber=2, Body=b"the end", **name)
    listed = s3.list_parts(**name)["Parts"]
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed] == [
        (1, 5 << 20, first["ETag"]),
        (2, 7, last["ETag"]),
    ]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(u["Key"], u["UploadId"]) for u in uploads] == [("big.bin", upload)]
    s3.abort_multipart_upload(**name)
    refused("NoSuchUpload", 404, s3.list_parts, **name)
    refused("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="big.bin")


@behaviour("an upload is completed from its parts, in their order")
def complete():
    bucket = fresh_bucket()
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a/big.bin")["UploadId"]
    name = {"Bucket": bucket, "Key": "a/big.bin", "UploadId": upload}
    end = s3.upload_part(PartNumber=7, Body=b"the end", **name)["ETag"]
    begin = s3.upload_part(PartNumber=3, Body=sample(5 << 20), **name)["ETag"]
    wanted = {"Parts": [{"PartNumber": 3, "ETag": begin}, {"PartNumber": 7, "ETag": end}]}
    done = s3.complete_multipart_upload(MultipartUpload=wanted, **name)
    assert body_of(bucket, "a/big.bin") == sample(5 << 20) + b"the end"
    assert s3.head_object(Bucket=bucket, Key="a/big.bin")["ETag"] == done["ETag"]
    assert body_of(bucket, "a/big.bin", Range="bytes=5242878-") == sample(5 << 20)[-2:] + b"the end"


@behaviour("parts are summed up to the object, in both ways, and a wrong sum makes no object")
def checksums():
    bucket = fresh_bucket()
    parts = [sample(5 << 20), b"the end"]

    def complete(key, algorithm, kind, **of_object):
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        assert (upload["ChecksumAlgorithm"], upload["ChecksumType"]) == (algorithm, kind)
        name = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
        field = f"Checksum{algorithm}"
        sent = [
            (number, s3.upload_part(PartNumber=number, Body=part, ChecksumAlgorithm=algorithm, **name))
            for number, part in enumerate(parts, 1)
        ]
        wanted = [{"PartNumber": number, "ETag": part["ETag"], field: part[field]} for number, part in sent]
        listed = s3.list_parts(**name)
        assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm, kind)
        assert [part[field] for part in listed["Parts"]] == [part[field] for part in wanted]
        return s3.complete_multipart_upload(MultipartUpload={"Parts": wanted}, **name, **of_object)

    whole = base64.b64encode(zlib.crc32(b"".join(parts)).to_bytes(4, "big")).decode()
    done = complete("full", "CRC32", "FULL_OBJECT", ChecksumCRC32=whole)
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (whole, "FULL_OBJECT")
    digests = b"".join(hashlib.sha256(part).digest() for part in parts)
    composite = base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-2"
    assert complete("sums", "SHA256", "COMPOSITE", ChecksumSHA256=composite)["ChecksumSHA256"] == composite
    for key, algorithm, kind, wrong in (
        ("bad", "CRC32", "FULL_OBJECT", {"ChecksumCRC32": "AAAAAA=="}),
        ("bad", "SHA256", "COMPOSITE", {"ChecksumSHA256": base64.b64encode(bytes(32)).decode() + "-2"}),
    ):
        refused("BadDigest", 400, complete, key=key, algorithm=algorithm, kind=kind, **wrong)
    refused("InvalidRequest", 400, complete, key="bad", algorithm="CRC32", kind="FULL_OBJECT", MpuObjectSize=1)
    refused("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="bad")
    assert body_of(bucket, "full") == body_of(bucket, "sums") == b"".join(parts)


@behaviour("a delete may have conditions, of one object and of many")
def conditional_deletes():
    bucket = fresh_bucket("a", "bb", "c")
    etag = s3.head_object(Bucket=bucket, Key="a")["ETag"]
    refused("PreconditionFailed", 412, s3.delete_object, Bucket=bucket, Key="bb", IfMatch=etag)
    refused("PreconditionFailed", 412, s3.delete_object, Bucket=bucket, Key="bb", IfMatchSize=1)
    old = datetime.datetime(2020, 1, 1)
    refused("PreconditionFailed", 412, s3.delete_object, Bucket=bucket, Key="bb", IfMatchLastModifiedTime=old)
    wanted = {"Objects": [{"Key": "a", "ETag": etag}, {"Key": "bb", "ETag": etag}, {"Key": "c", "Size": 1}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=wanted)
    assert sorted(d["Key"] for d in answer["Deleted"]) == ["a", "c"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("bb", "PreconditionFailed")]
    assert s3.delete_object(Bucket=bucket, Key="bb", IfMatchSize=2)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert s3.delete_object(Bucket=bucket, Key="bb", IfMatchSize=2)["ResponseMetadata"]["HTTPStatusCode"] == 204


@behaviour("ranges are served")
def ranges():
    bucket = fresh_bucket()
    s3.put_object(Bucket=bucket, Key="digits", Body=b"0123456789")
    assert body_of(bucket, "digits", Range="bytes=2-4") == b"234"
    assert body_of(bucket, "digits", Range="bytes=7-") == b"789"
    assert body_of(bucket, "digits", Range="bytes=-3") == b"789"
    got = s3.get_object(Bucket=bucket, Key="digits", Range="bytes=8-100")
    assert (got["Body"].read(), got["ContentRange"]) == (b"89", "bytes 8-9/10")
    refused("InvalidRange", 416, s3.get_object, Bucket=bucket, Key="digits", Range="bytes=10-")


@behaviour("conditions are judged")
def conditions():
    bucket = fresh_bucket()
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"first")["ETag"]
    assert body_of(bucket, "key", IfMatch=etag) == b"first"
    refused("304", 304, s3.get_object, Bucket=bucket, Key="key", IfNoneMatch=etag)
    refused("PreconditionFailed", 412, s3.get_object, Bucket=bucket, Key="key", IfMatch='"other"')
    refused("PreconditionFailed", 412, s3.put_object, Bucket=bucket, Key="key", Body=b"x", IfNoneMatch="*")
    s3.put_object(Bucket=bucket, Key="key", Body=b"second", IfMatch=etag)
    refused("PreconditionFailed", 412, s3.put_object, Bucket=bucket, Key="key", Body=b"x", IfMatch=etag)
    assert body_of(bucket, "key") == b"second"


@behaviour("the mark of a folder is taken, and stands in nobody's way")
def folder_marks():
    bucket = fresh_bucket("file")
    s3.put_object(Bucket=bucket, Key="folder/", Body=b"")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="folder")["KeyCount"] == 0
    s3.put_object(Bucket=bucket, Key="folder/key", Body=b"x")
    s3.put_object(Bucket=bucket, Key="folder/", Body=b"")
    assert body_of(bucket, "folder/key") == b"x"
    refused("ObjectNameConflict", 409, s3.put_object, Bucket=bucket, Key="file/", Body=b"")


@behaviour("both versions of the list are paged to the end")
def paginators():
    keys = sorted([f"k/{i:02}" for i in range(17)] + ["k-", "a b&c", "z'\"<>.txt", "~"])
    bucket = fresh_bucket(*keys)
    for operation in ("list_objects", "list_objects_v2"):
        pages = list(s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 4}))
        assert [o["Key"] for page in pages for o in page.get("Contents", [])] == keys, operation
        assert len(pages) == 6, operation
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
        seen = [(o.get("Key"), o.get("Prefix")) for p in pages for o in p.get("Contents", []) + p.get("CommonPrefixes", [])]
        assert sorted(seen, key=str) == sorted(
            [(k, None) for k in keys if "/" not in k] + [(None, "k/")], key=str
        ), (operation, seen)


@behaviour("a list takes prefix, start-after and encoding")
def lists():
    bucket = fresh_bucket("a", "b/1", "b/2", "b/3", "c")
    page = s3.list_objects_v2(Bucket=bucket, Prefix="b/", StartAfter="b/1")
    assert [o["Key"] for o in page["Contents"]] == ["b/2", "b/3"]
    assert (page["KeyCount"], page["IsTruncated"]) == (2, False)
    assert [o["Size"] for o in page["Contents"]] == [3, 3]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="nothing")["KeyCount"] == 0
    assert [o["Key"] for o in s3.list_objects(Bucket=bucket, Marker="b/2")["Contents"]] == ["b/3", "c"]


@behaviour("many objects are deleted at once")
def delete_objects():
    bucket = fresh_bucket("a", "b", "c")
    wanted = {"Objects": [{"Key": "a"}, {"Key": "c"}, {"Key": "missing"}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=wanted)
    assert sorted(d["Key"] for d in answer["Deleted"]) == ["a", "c", "missing"]
    assert "Errors" not in answer
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@behaviour("an object is copied within and across buckets")
def copy_object():
    bucket, other = fresh_bucket("a b.txt"), fresh_bucket()
    answer = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b.txt"})
    assert answer["CopyObjectResult"]["ETag"] == s3.head_object(Bucket=bucket, Key="a b.txt")["ETag"]
    s3.copy_object(Bucket=other, Key="deep/copy", CopySource=f"{bucket}/a b.txt")
    assert body_of(bucket, "copy") == body_of(other, "deep/copy") == b"a b.txt"
    source = {"Bucket": bucket, "Key": "none"}
    refused("NoSuchKey", 404, s3.copy_object, Bucket=other, Key="x", CopySource=source)


@behaviour("a version is a commit, and its bucket keeps it for ever")
def versions():
    bucket = fresh_bucket()
    first = s3.put_object(Bucket=bucket, Key="key", Body=b"first")["VersionId"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"second")
    assert body_of(bucket, "key", VersionId=first) == b"first"
    assert body_of(f"{first}.{bucket}", "key") == b"first"
    assert body_of(bucket, "key") == b"second"
    refused("MethodNotAllowed", 405, s3.put_object, Bucket=f"{first}.{bucket}", Key="key", Body=b"third")
    missing = "0123456789ab4def8123456789abcdef"
    refused("NoSuchVersion", 404, s3.get_object, Bucket=bucket, Key="key", VersionId=missing)


@behaviour("the newest version of each object is listed, and what is deleted is in no newer one")
def newest_versions():
    keys = [f"k/{i}" for i in range(5)] + ["z"]
    bucket = fresh_bucket(*keys)
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}))
    versions = [v for page in pages for v in page["Versions"]]
    assert ([v["Key"] for v in versions], len(pages)) == (keys, 3)
    assert all(v["IsLatest"] and v["Size"] == len(v["Key"]) for v in versions)
    assert body_of(bucket, "z", VersionId=versions[-1]["VersionId"]) == b"z"
    refused("InvalidArgument", 400, s3.list_object_versions, Bucket=bucket, VersionIdMarker=versions[0]["VersionId"])
    page = s3.list_object_versions(Bucket=bucket, Delimiter="/")
    assert ([v["Key"] for v in page["Versions"]], page["CommonPrefixes"]) == (["z"], [{"Prefix": "k/"}])
    gone = s3.delete_object(Bucket=bucket, Key="z")
    assert gone["DeleteMarker"]
    refused("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="z", VersionId=gone["VersionId"])
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k/0"}]})["Deleted"][0]
    refused("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="k/0", VersionId=deleted["DeleteMarkerVersionId"])


@behaviour("an ETag in If-None-Match of a write means what it means in HTTP")
def writes_unless():
    bucket = fresh_bucket("key")
    etag = s3.head_object(Bucket=bucket, Key="key")["ETag"]
    refused("PreconditionFailed", 412, s3.put_object, Bucket=bucket, Key="key", Body=b"x", IfNoneMatch=etag)
    s3.put_object(Bucket=bucket, Key="key", Body=b"other", IfNoneMatch='"none"')
    s3.put_object(Bucket=bucket, Key="key", Body=b"third", IfNoneMatch=etag)
    assert body_of(bucket, "key") == b"third"


@behaviour("buckets are made, found, listed and removed")
def buckets():
    bucket = bucket_name()
    refused("404", 404, s3.head_bucket, Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    refused("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_bucket(Bucket=bucket)
    refused("404", 404, s3.head_bucket, Bucket=bucket)


@behaviour("location and versioning say what Pachyderm is")
def properties():
    bucket = fresh_bucket()
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "PACHYDERM"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@behaviour("errors have S3's codes")
def errors():
    bucket = fresh_bucket("file")
    refused("NoSuchKey", 404, s3.get_object, Bucket=bucket, Key="none")
    refused("404", 404, s3.head_object, Bucket=bucket, Key="none")
    refused("NoSuchBucket", 404, s3.list_objects_v2, Bucket=bucket_name())
    refused("InvalidFilePath", 400, s3.put_object, Bucket=bucket, Key="st*r", Body=b"")
    refused("ObjectNameConflict", 409, s3.put_object, Bucket=bucket, Key="file/below", Body=b"")
    refused("NoSuchBucketPolicy", 404, s3.get_bucket_policy, Bucket=bucket)
    refused("NotImplemented", 501, s3.get_object_torrent, Bucket=bucket, Key="file")
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert body_of(bucket, "file") == b"file"


if not UNSIGNED_CLIENT:

    @behaviour("presigned GET and PUT need no credentials, and expire")
    def presign():
        bucket = fresh_bucket("shared file.txt")
        get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "shared file.txt"}, ExpiresIn=60)
        assert urllib.request.urlopen(get).read() == b"shared file.txt"
        put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "put.txt"}, ExpiresIn=60)
        request = urllib.request.Request(put, data=b"by a link", method="PUT", headers={"Content-Type": ""})
        assert urllib.request.urlopen(request).status == 200
        assert body_of(bucket, "put.txt") == b"by a link"
        try:
            urllib.request.urlopen(get.replace("shared", "spoiled"))
        except urllib.error.HTTPError as error:
            assert error.code == 403 and b"SignatureDoesNotMatch" in error.read()
        else:
            raise AssertionError("a URL that was changed is served")

    @behaviour("a form made for a page stores a file")
    def presigned_post():
        bucket = fresh_bucket()
        form = s3.generate_presigned_post(
            bucket,
            "up/${filename}",
            Fields={"success_action_status": "201"},
            Conditions=[{"success_action_status": "201"}, ["content-length-range", 1, 100]],
            ExpiresIn=60,
        )

        def post(content):
            parts = [f'--XX\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in form["fields"].items()]
            head = '--XX\r\nContent-Disposition: form-data; name="file"; filename="page.txt"\r\n\r\n'
            body = ("".join(parts) + head).encode() + content + b"\r\n--XX--\r\n"
            headers = {"Content-Type": "multipart/form-data; boundary=XX"}
            return urllib.request.urlopen(urllib.request.Request(form["url"], data=body, headers=headers, method="POST"))

        assert post(b"from a page").status == 201
        assert body_of(bucket, "up/page.txt") == b"from a page"
        try:
            post(sample(101))
        except urllib.error.HTTPError as error:
            assert error.code == 400 and b"EntityTooLarge" in error.read()
        else:
            raise AssertionError("a file that is too large is taken")

    @behaviour("signature version 2 is understood")
    def version2():
        bucket = fresh_bucket("key")
        old = boto3.client("s3", endpoint_url=URL, config=Config(signature_version="s3"))
        old.put_object(Bucket=bucket, Key="two", Body=b"signed as of old", Metadata={"a": "b"})
        assert old.get_object(Bucket=bucket, Key="two")["Body"].read() == b"signed as of old"
        old.create_bucket(Bucket=bucket_name())
        link = old.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "two"}, ExpiresIn=60)
        assert urllib.request.urlopen(link).read() == b"signed as of old"


run()
