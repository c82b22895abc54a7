"""Pachyderm's own client beside an S3 client: what one writes the other reads."""

import os

import boto3
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs

from behaviours import ENDPOINT, behaviour, bucket_name, run

host, port = os.environ["PACHD"].split(":")
token = os.environ.get("PACHD_TOKEN")
pachd = Client(host=host, port=int(port), auth_token=token) if token else Client(host=host, port=int(port))
s3 = boto3.client("s3", endpoint_url=f"http://{ENDPOINT}")


def fresh_bucket():
    bucket = bucket_name()
    s3.create_bucket(Bucket=bucket)
    name, repo, project = bucket.split(".")
    return bucket, pfs.Branch(name=name, repo=pfs.Repo(name=repo, type="user", project=pfs.Project(name=project)))


@behaviour("what put_file wrote is read by GetObject and listed, at once")
def pachyderm_to_s3():
    bucket, branch = fresh_bucket()
    with pachd.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path="/folder/a.txt", data=b"from pachctl")
    pachd.pfs.wait_commit(commit)
    got = s3.get_object(Bucket=bucket, Key="folder/a.txt", VersionId=commit.id)
    assert got["Body"].read() == b"from pachctl"
    assert s3.get_object(Bucket=f"{commit.id}.{bucket}", Key="folder/a.txt")["Body"].read() == b"from pachctl"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=f"{commit.id}.{bucket}")["Contents"]] == ["folder/a.txt"]


@behaviour("what PutObject wrote is a commit of the branch, with the bytes")
def s3_to_pachyderm():
    bucket, branch = fresh_bucket()
    version = s3.put_object(Bucket=bucket, Key="folder/b.txt", Body=b"from s3")["VersionId"]
    commit = pfs.Commit(id=version, repo=branch.repo)
    pachd.pfs.wait_commit(commit)
    with pachd.pfs.pfs_file(pfs.File(commit=commit, path="/folder/b.txt")) as file:
        assert file.read() == b"from s3"
    assert pachd.pfs.inspect_branch(branch=branch).head.id == version


@behaviour("CreateBucket makes the repo and the branch, DeleteBucket removes both")
def repos():
    bucket, branch = fresh_bucket()
    names = [info.repo.name for info in pachd.pfs.list_repo(type="user")]
    assert branch.repo.name in names
    s3.delete_bucket(Bucket=bucket)
    names = [info.repo.name for info in pachd.pfs.list_repo(type="user")]
    assert branch.repo.name not in names


run()
