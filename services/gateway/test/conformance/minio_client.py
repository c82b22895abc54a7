"""MinIO's client library for Python against the gateway."""

import io
import os
import urllib.request
from datetime import timedelta

from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from behaviours import ENDPOINT, behaviour, bucket_name, run, sample

SIGNED = os.environ.get("AWS_ACCESS_KEY_ID") is not None
# set-up of minio-py
client = Minio(
    ENDPOINT,
    access_key=os.environ.get("AWS_ACCESS_KEY_ID"),
    secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),
    secure=False,
    region="us-east-1",
)
# end of the set-up


def fresh_bucket(*keys):
    bucket = bucket_name()
    client.make_bucket(bucket)
    for key in keys:
        client.put_object(bucket, key, io.BytesIO(key.encode()), len(key))
    return bucket


def content_of(bucket, key, **arguments):
    response = client.get_object(bucket, key, **arguments)
    try:
        return response.read()
    finally:
        response.close()
        response.release_conn()


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except S3Error as error:
        assert error.code == code, error
        return
    raise AssertionError(f"not refused with {code}")


@behaviour("objects of 0 B, 1 B, 1 MB and 20 MB come back byte for byte")
def sizes():
    bucket = fresh_bucket()
    for size in (0, 1, 1_000_000, 20_000_000):
        content = sample(size)
        client.put_object(bucket, f"{size}.bin", io.BytesIO(content), size, part_size=5 << 20)
        assert content_of(bucket, f"{size}.bin") == content
        assert client.stat_object(bucket, f"{size}.bin").size == size


@behaviour("a stream of unknown length goes up in parts")
def unknown_length():
    bucket = fresh_bucket()
    content = sample(12_000_000)
    client.put_object(bucket, "stream.bin", io.BytesIO(content), -1, part_size=5 << 20)
    assert content_of(bucket, "stream.bin") == content


@behaviour("objects are listed flat and by folder")
def lists():
    bucket = fresh_bucket("a.txt", "b/1.txt", "b/c/2.txt")
    assert [o.object_name for o in client.list_objects(bucket, recursive=True)] == ["a.txt", "b/1.txt", "b/c/2.txt"]
    assert [(o.object_name, o.is_dir) for o in client.list_objects(bucket)] == [("a.txt", False), ("b/", True)]
    assert [o.object_name for o in client.list_objects(bucket, prefix="b/")] == ["b/1.txt", "b/c/"] or [
        o.object_name for o in client.list_objects(bucket, prefix="b/")
    ] == ["b/c/", "b/1.txt"]


@behaviour("a range is read")
def ranges():
    bucket = fresh_bucket("0123456789")
    assert content_of(bucket, "0123456789", offset=3, length=4) == b"3456"


@behaviour("objects are copied and removed")
def copies():
    bucket = fresh_bucket("one", "two")
    client.copy_object(bucket, "copy", CopySource(bucket, "one"))
    assert content_of(bucket, "copy") == b"one"
    client.remove_object(bucket, "one")
    errors = list(client.remove_objects(bucket, [DeleteObject("two"), DeleteObject("none")]))
    assert errors == [], errors
    assert [o.object_name for o in client.list_objects(bucket)] == ["copy"]


@behaviour("buckets are made, found and removed")
def buckets():
    bucket = bucket_name()
    assert not client.bucket_exists(bucket)
    client.make_bucket(bucket)
    assert client.bucket_exists(bucket)
    assert bucket in [b.name for b in client.list_buckets()]
    client.remove_bucket(bucket)
    assert not client.bucket_exists(bucket)


@behaviour("errors have S3's codes")
def errors():
    bucket = fresh_bucket()
    refused("NoSuchKey", client.get_object, bucket, "none")
    refused("NoSuchKey", client.stat_object, bucket, "none")
    refused("NoSuchBucket", client.get_object, bucket_name(), "none")
    refused("BucketAlreadyOwnedByYou", client.make_bucket, bucket)


if SIGNED:

    @behaviour("presigned URLs work")
    def presign():
        bucket = fresh_bucket("shared.txt")
        get = client.presigned_get_object(bucket, "shared.txt", expires=timedelta(minutes=1))
        assert urllib.request.urlopen(get).read() == b"shared.txt"
        put = client.presigned_put_object(bucket, "put.txt", expires=timedelta(minutes=1))
        request = urllib.request.Request(put, data=b"by a link", method="PUT", headers={"Content-Type": ""})
        assert urllib.request.urlopen(request).status == 200
        assert content_of(bucket, "put.txt") == b"by a link"


run()
