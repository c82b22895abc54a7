"""s3fs with pandas, pyarrow's own S3 file system, and DuckDB's httpfs, against the gateway."""

import glob
import hashlib
import os

import duckdb
import duckdb_extension_httpfs
import pandas
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import s3fs

from behaviours import ENDPOINT, URL, behaviour, bucket_name, run, sample

KEY = os.environ["AWS_ACCESS_KEY_ID"]
# set-up of s3fs
fs = s3fs.S3FileSystem(key=KEY, secret=KEY, endpoint_url=URL)
# set-up of pandas
storage = {"key": KEY, "secret": KEY, "client_kwargs": {"endpoint_url": URL}}
# set-up of pyarrow
arrow = pyarrow.fs.S3FileSystem(access_key=KEY, secret_key=KEY, endpoint_override=URL)
# set-up of DuckDB
secret = f"""CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{KEY}',
    ENDPOINT '{ENDPOINT}', URL_STYLE 'path', USE_SSL false)"""
# end of the set-ups


# What `INSTALL httpfs` would fetch comes from a package here.
db = duckdb.connect()
(httpfs,) = glob.glob(f"{os.path.dirname(duckdb_extension_httpfs.__file__)}/extensions/*/httpfs.duckdb_extension")
db.sql(f"LOAD '{httpfs}'")
db.sql(secret)


def fresh_bucket():
    name = bucket_name()
    fs.mkdir(name)
    return name


def table():
    days = ["2026-01-01", "2026-01-02", "2026-01-03"]
    return pandas.DataFrame({"day": [days[i % 3] for i in range(3_000)], "value": range(3_000)})


@behaviour("s3fs: objects are written, read, listed in pages, copied, moved and removed")
def s3fs_objects():
    bucket = fresh_bucket()
    fs.pipe(f"{bucket}/a/small.txt", b"small")
    assert fs.cat(f"{bucket}/a/small.txt") == b"small"
    with fs.open(f"{bucket}/big.bin", "wb", block_size=5 << 20) as file:
        file.write(sample(12_000_000))
    with fs.open(f"{bucket}/big.bin", "rb") as file:
        file.seek(11_000_000)
        assert file.read() == sample(12_000_000)[11_000_000:]
    for number in range(5):
        fs.pipe(f"{bucket}/many/{number}", b"x")
    fs.invalidate_cache()
    assert len(fs.ls(f"{bucket}/many")) == 5
    assert sorted(fs.find(bucket))[0] == f"{bucket}/a/small.txt"
    fs.copy(f"{bucket}/a/small.txt", f"{bucket}/a/copy.txt")
    fs.mv(f"{bucket}/a/copy.txt", f"{bucket}/a/moved.txt")
    assert fs.cat(f"{bucket}/a/moved.txt") == b"small" and not fs.exists(f"{bucket}/a/copy.txt")
    fs.rm(f"{bucket}/a", recursive=True)
    fs.invalidate_cache()
    assert not fs.exists(f"{bucket}/a")


@behaviour("s3fs: a link needs no credentials")
def s3fs_presign():
    import urllib.request

    bucket = fresh_bucket()
    fs.pipe(f"{bucket}/small.txt", b"small")
    assert urllib.request.urlopen(fs.sign(f"{bucket}/small.txt", expiration=60)).read() == b"small"


@behaviour("s3fs: folders go up and down")
def s3fs_folders():
    bucket = fresh_bucket()
    os.makedirs("up/deep", exist_ok=True)
    for name in ("a", "deep/b"):
        with open(f"up/{name}", "wb") as file:
            file.write(name.encode())
    fs.put("up/", f"{bucket}/tree/", recursive=True)
    fs.get(f"{bucket}/tree/", "down/", recursive=True)
    for name in ("a", "deep/b"):
        with open(f"down/{name}", "rb") as file:
            assert file.read() == name.encode()


@behaviour("pandas: tables as CSV and as Parquet")
def pandas_tables():
    bucket = fresh_bucket()
    table().to_csv(f"s3://{bucket}/table.csv", index=False, storage_options=storage)
    assert pandas.read_csv(f"s3://{bucket}/table.csv", storage_options=storage).equals(table())
    table().to_parquet(f"s3://{bucket}/table.parquet", storage_options=storage)
    assert pandas.read_parquet(f"s3://{bucket}/table.parquet", storage_options=storage).equals(table())


@behaviour("pyarrow: a partitioned Parquet dataset is written, and read by partition")
def arrow_dataset():
    bucket = fresh_bucket()
    pyarrow.parquet.write_to_dataset(
        pyarrow.Table.from_pandas(table()), f"{bucket}/data", partition_cols=["day"], filesystem=arrow
    )
    data = pyarrow.dataset.dataset(f"{bucket}/data", filesystem=arrow, partitioning="hive")
    assert data.count_rows() == 3_000
    part = data.to_table(filter=pyarrow.dataset.field("day") == "2026-01-02", columns=["value"])
    assert sorted(part["value"].to_pylist()) == list(range(1, 3_000, 3))


@behaviour("pyarrow: files are written in parts, found, copied, moved and deleted")
def arrow_files():
    bucket = fresh_bucket()
    with arrow.open_output_stream(f"{bucket}/big.bin") as stream:
        stream.write(sample(12_000_000))
    with arrow.open_input_file(f"{bucket}/big.bin") as file:
        assert file.size() == 12_000_000
        file.seek(6_000_000)
        assert file.read(1_000) == sample(12_000_000)[6_000_000:6_001_000]
    arrow.copy_file(f"{bucket}/big.bin", f"{bucket}/deep/copy.bin")
    arrow.move(f"{bucket}/deep/copy.bin", f"{bucket}/deep/moved.bin")
    found = arrow.get_file_info(pyarrow.fs.FileSelector(bucket, recursive=True))
    assert sorted(info.path for info in found if info.is_file) == [f"{bucket}/big.bin", f"{bucket}/deep/moved.bin"]
    arrow.delete_file(f"{bucket}/big.bin")
    assert arrow.get_file_info(f"{bucket}/big.bin").type == pyarrow.fs.FileType.NotFound


@behaviour("DuckDB: a partitioned Parquet dataset is written, and read by partition")
def duckdb_dataset():
    bucket = fresh_bucket()
    db.sql(
        f"""COPY (SELECT range AS value, 'day-' || range % 3 AS day FROM range(3_000))
        TO 's3://{bucket}/data' (FORMAT parquet, PARTITION_BY (day))"""
    )
    found = db.sql(f"SELECT file FROM glob('s3://{bucket}/data/**/*.parquet')").fetchall()
    assert len(found) == 3
    rows = f"read_parquet('s3://{bucket}/data/**/*.parquet', hive_partitioning = true)"
    assert db.sql(f"SELECT count(*) FROM {rows}").fetchone() == (3_000,)
    part = db.sql(f"SELECT value FROM {rows} WHERE day = 'day-1' ORDER BY value").fetchall()
    assert part == [(value,) for value in range(1, 3_000, 3)]


@behaviour("DuckDB: of a large file, written in parts, the footer and single columns are read")
def duckdb_columns():
    bucket = fresh_bucket()
    file = f"s3://{bucket}/large.parquet"
    db.sql(f"COPY (SELECT range AS number, md5(range::VARCHAR) AS text FROM range(500_000)) TO '{file}' (FORMAT parquet)")
    assert db.sql(f"SELECT num_rows FROM parquet_file_metadata('{file}')").fetchone() == (500_000,)
    assert db.sql(f"SELECT sum(number) FROM '{file}'").fetchone() == (499_999 * 250_000,)
    assert db.sql(f"SELECT text FROM '{file}' WHERE number = 499_999").fetchone() == (
        hashlib.md5(b"499999").hexdigest(),
    )


@behaviour("DuckDB: a table as CSV is put and got")
def duckdb_csv():
    bucket = fresh_bucket()
    db.sql(f"COPY (SELECT range AS number FROM range(10)) TO 's3://{bucket}/table.csv'")
    assert db.sql(f"SELECT sum(number) FROM read_csv('s3://{bucket}/table.csv')").fetchone() == (45,)


run()
