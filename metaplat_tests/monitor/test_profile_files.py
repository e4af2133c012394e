"""The files behind a profile: some vanish while they are read, have odd names, or lie on S3."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest

from metaplat.model.errors import PermanentStoreError, SettingsError
from metaplat.model.table import BucketFunction, Engine
from metaplat.monitor.profilers.key_reader import GONE
from metaplat.settings import S3Settings
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.tables.files import open_table_files
from metaplat_tests.monitor.small_tables import SmallTable, WatchedFiles, column
from metaplat_tests.standins.counting_s3 import counting_s3

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.model.landed import ObjectInfo


@pytest.fixture
def small(tmp_path: Path) -> SmallTable:
    return SmallTable(tmp_path)


def row(profile: Any, bucket: int) -> dict[str, Any]:
    return dict(profile.frame.row(bucket, named=True))


def test_a_file_removed_after_the_listing_is_looked_for_once_more(small: SmallTable) -> None:
    small.write({0: [["a"]], 1: [["b"], ["c"]]})
    files = small.watched(lambda: (small.location / "id_bucket=1/part-1.parquet").unlink())
    profile = small.profile(files)
    assert column(profile, "files") == [1, 1, 0, 0]
    assert column(profile, "rows") == [1, 1, 0, 0]
    assert column(profile, "unreadable_files") == [0, 0, 0, 0]
    assert dict(files.listed) == {".": 1, "id_bucket=1": 1}


def test_a_file_written_anew_after_the_listing_is_measured_as_it_is_now(small: SmallTable) -> None:
    small.write({1: [["b"]]})
    files = small.watched(
        lambda: small.write_file("id_bucket=1/part-0.parquet", [f"key-{n}" for n in range(50)])
    )
    assert column(small.profile(files), "rows") == [0, 50, 0, 0]
    assert small.profile().files_read == 0


def test_a_file_that_never_holds_still_is_unknown_and_read_again_the_next_time(small: SmallTable) -> None:
    small.write({0: [["a"]], 1: [["b"]]})

    class Restless(WatchedFiles):
        """One file is written anew whenever it is read."""

        def read_tail(self, info: ObjectInfo, size: int) -> bytes:
            if info.key.startswith("id_bucket=1"):
                small.write_file(info.key, ["b"] * (1 + len(self.read)))
            return super().read_tail(info, size)

    restless = Restless(small.watched().inner)
    profile = small.profile(restless)
    assert column(profile, "rows") == [1, None, 0, 0]
    assert [item.problem for item in profile.files] == [None, GONE]
    again = small.profile()
    assert again.files_read == 1
    assert column(again, "unreadable_files") == [0, 0, 0, 0]


def test_a_table_that_does_not_exist_is_an_error(small: SmallTable) -> None:
    with pytest.raises(PermanentStoreError, match="does not exist"):
        small.profile()


def test_an_engine_that_is_not_at_hand_is_a_settings_error(small: SmallTable) -> None:
    small.engine = Engine.ATHENA
    with pytest.raises(SettingsError, match=r"monitor\.engine.*bucket, footer, global"):
        small.write({0: [["a"]]}).profile()


def test_odd_names_of_files_are_no_obstacle(small: SmallTable) -> None:
    for name in ("a b", "a*[1]", "a%20b?x=1", "\udcff", "ключ", "k=7/deep er"):
        path = small.location / f"id_bucket=1/{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        small.write_file("id_bucket=1/new.parquet", ["a"]).rename(path)
    profile = small.profile()
    assert row(profile, 1)["rows"] == 6
    assert row(profile, 1)["duplicate_rows"] == 6
    assert small.profile().files_read == 0


def test_a_table_on_s3_has_the_same_profile(
    small: SmallTable, s3_bucket: str, s3_client: Any, moto_endpoint: str
) -> None:
    small.function = BucketFunction.INFER
    keys: dict[int, list[list[str | None]]] = {bucket: [[]] for bucket in range(4)}
    for number in range(400):
        keys[zlib.crc32(b"key-%d" % number) % 4][0].append(f"key-{number}")
    keys[zlib.crc32(b"key-1") % 4].append(["key-1", None])
    small.write(keys)
    for path in small.location.rglob("*.parquet"):
        name = str(path.relative_to(small.location))
        s3_client.put_object(Bucket=s3_bucket, Key=f"lake/part_t/{name}", Body=path.read_bytes())
    local = small.profile().frame
    remote = open_table_files(f"s3://{s3_bucket}/lake/part_t", S3Settings(endpoint_url=moto_endpoint))
    profile = small.profile(remote, state=LocalObjects(small.folder / "other"))
    same = ["id_bucket", "files", "bytes", "rows", "key_nulls", "schema_fingerprint"]
    same += ["distinct_keys", "duplicate_rows", "duplicate_keys", "surplus_rows", "misplaced_keys"]
    assert profile.frame.select(same).equals(local.select(same))


@pytest.mark.parametrize(
    ("engine", "most"), [(Engine.FOOTER, 1), (Engine.BUCKET, 3), (Engine.GLOBAL, 3)], ids=str
)
def test_few_requests_a_file_and_many_at_a_time(
    small: SmallTable, monkeypatch: pytest.MonkeyPatch, engine: Engine, most: int
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    small.count, small.engine, small.function = 64, engine, BucketFunction.INFER
    small.write({bucket: [[f"key-{bucket}-{n}" for n in range(50)]] for bucket in range(64)})
    paths = {path.relative_to(small.location): path for path in small.location.rglob("*.parquet")}
    objects = {f"t/{name}": path.read_bytes() for name, path in paths.items()}
    with counting_s3(objects, latency=0.03) as service:
        settings = S3Settings(endpoint_url=service.endpoint)
        small.profile(open_table_files("s3://bucket/t", settings))
        assert max(len(service.requests_of(key)) for key in objects) <= most
        assert service.listings == 1
        assert service.most_in_flight >= 16
        service.forget()
        small.profile(open_table_files("s3://bucket/t", settings))
        assert service.asked == [line for line in service.asked if line.startswith("GET list")]
        assert service.listings == 1
