"""The stock client of Pachyderm at devpachd. Prints as JSON what became of each behaviour: null, or what went wrong."""

import io
import json
import os
import sys
import traceback
import uuid

import grpc
from pachyderm_sdk import Client
from pachyderm_sdk.api import auth, pfs

host, port = os.environ["PACHD"].split(":")
outcomes = {}


def behaviour(name):
    """Runs a function, and keeps what it raises under a name. The test finds the names by reading this file."""

    def run(function):
        try:
            function()
            outcomes[name] = None
        except Exception:
            outcomes[name] = traceback.format_exc()
        return function

    return run


def connect(token):
    return Client(host=host, port=int(port), auth_token=token)


def refused(work, code):
    try:
        work()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error.details()
    raise AssertionError("it was not refused")


def fresh_branch(client, name="master"):
    project = pfs.Project(name=f"p{uuid.uuid4().hex[:10]}")
    client.pfs.create_project(project=project)
    repo = pfs.Repo(name="data", type="user", project=project)
    client.pfs.create_repo(repo=repo, description="by the stock client")
    branch = pfs.Branch(name=name, repo=repo)
    client.pfs.create_branch(branch=branch)
    return branch


root = connect(os.environ["PACHD_TOKEN"])


@behaviour("tells its version, and who calls")
def version():
    assert root.get_version().major == 2
    assert root.auth.who_am_i().username == "pach:root"


@behaviour("creates projects, repos and branches, and lists them")
def creates():
    branch = fresh_branch(root)
    assert root.pfs.project_exists(branch.repo.project)
    assert root.pfs.repo_exists(branch.repo) and root.pfs.branch_exists(branch)
    assert [info.project.name for info in root.pfs.list_project()].count(branch.repo.project.name) == 1
    repos = list(root.pfs.list_repo(type="user", projects=[branch.repo.project]))
    assert [(info.repo.name, info.description) for info in repos] == [("data", "by the stock client")]
    assert [info.branch.name for info in root.pfs.list_branch(repo=branch.repo)] == ["master"]


@behaviour("puts, reads and lists files in a commit that it starts and finishes")
def puts():
    branch = fresh_branch(root)
    with root.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path="/a.txt", data=b"one")
        commit.put_file_from_bytes(path="/a.txt", data=b", two", append=True)
        commit.put_file_from_file(path="/d/large.bin", file=io.BytesIO(b"x" * 3_000_000))
        commit.put_file_from_bytes(path="/d/gone", data=b"")
        commit.delete_file(path="/d/gone")
    info = commit.wait()
    assert info.error == "" and info.details.size_bytes == 3_000_008
    with root.pfs.pfs_file(pfs.File(commit=commit, path="/a.txt")) as file:
        assert file.read() == b"one, two"
    with root.pfs.pfs_file(pfs.File(commit=commit, path="/d/large.bin")) as file:
        assert file.read() == b"x" * 3_000_000
    root_dir = pfs.File(commit=commit, path="/")
    assert [info.file.path for info in root.pfs.list_file(file=root_dir)] == ["/a.txt", "/d/"]
    assert [info.file.path for info in root.pfs.walk_file(file=root_dir)] == ["/", "/a.txt", "/d/", "/d/large.bin"]
    assert [info.file.path for info in root.pfs.glob_file(commit=commit, pattern="/d/*.bin")] == ["/d/large.bin"]
    assert root.pfs.inspect_file(file=pfs.File(commit=commit, path="/a.txt")).size_bytes == 8
    assert root.pfs.path_exists(pfs.File(commit=commit, path="/a.txt"))
    assert not root.pfs.path_exists(pfs.File(commit=commit, path="/b.txt"))
    with root.pfs.pfs_tar_file(pfs.File(commit=commit, path="/d/")) as tar:
        assert [(entry.name.strip("/"), entry.size) for entry in tar] == [("d", 0), ("d/large.bin", 3_000_000)]


@behaviour("copies within pachd, and tells what a commit changed")
def diffs():
    branch = fresh_branch(root)
    with root.pfs.commit(branch=branch) as first:
        first.put_file_from_bytes(path="/a", data=b"a")
    with root.pfs.commit(branch=branch) as second:
        second.copy_file(src=pfs.File(commit=first, path="/a"), dst="/b")
        second.delete_file(path="/a")
    assert second.wait().parent_commit.id == first.id
    changes = [
        (change.old_file.file.path or None, change.new_file.file.path or None)
        for change in root.pfs.diff_file(new_file=pfs.File(commit=second, path="/"))
        if (change.old_file or change.new_file)
    ]
    assert ("/a", None) in changes and (None, "/b") in changes, changes
    commits = [info.commit.id for info in root.pfs.list_commit(repo=branch.repo, number=2)]
    assert commits == [second.id, first.id]


@behaviour("starts a commit only once, and drops what nothing stands on")
def drops():
    branch = fresh_branch(root)
    started = root.pfs.start_commit(branch=branch)
    refused(lambda: root.pfs.start_commit(branch=branch), grpc.StatusCode.UNKNOWN)
    root.pfs.finish_commit(commit=started)
    root.pfs.wait_commit(started)
    root.pfs.drop_commit_set(commit_set=pfs.CommitSet(id=started.id))
    assert not root.pfs.commit_exists(started)


@behaviour("stands branches on others, and meets their open commits")
def provenance():
    source = fresh_branch(root)
    output = pfs.Branch(name="master", repo=pfs.Repo(name="out", type="user", project=source.repo.project))
    root.pfs.create_repo(repo=output.repo)
    root.pfs.create_branch(branch=output, provenance=[source])
    root.pfs.finish_commit(commit=root.pfs.inspect_branch(branch=output).head, force=True)
    with root.pfs.commit(branch=source) as commit:
        commit.put_file_from_bytes(path="/a", data=b"a")
    info = root.pfs.inspect_branch(branch=output)
    assert info.head.id == commit.id and [one.repo.name for one in info.provenance] == ["data"]
    root.pfs.finish_commit(commit=info.head, force=True)
    assert sorted(one.commit.repo.name for one in root.pfs.wait_commit_set(pfs.CommitSet(id=commit.id))) == ["data", "out"]


@behaviour("gets robot tokens, and gives robots roles")
def robots():
    branch = fresh_branch(root)
    robot = connect(root.auth.get_robot_token(robot="ci", ttl=600).token)
    assert robot.auth.who_am_i().username == "robot:ci"
    read = lambda: list(robot.pfs.list_commit(repo=branch.repo))
    assert "robot:ci is not authorized" in refused(read, grpc.StatusCode.PERMISSION_DENIED)
    resource = auth.Resource(type=auth.ResourceType.REPO, name=f"{branch.repo.project.name}/data")
    root.auth.modify_role_binding(resource=resource, principal="robot:ci", roles=["repoReader"])
    assert len(read()) == 1
    refused(lambda: connect("nobody").auth.who_am_i(), grpc.StatusCode.UNAUTHENTICATED)


json.dump(outcomes, sys.stdout)
