"""The table that rows are counted against: found in Glue or by its place, counted by its footers."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from metaplat.model.table import SourceTable
from metaplat.model.table_evidence import SourceFacts
from metaplat.monitor.source import source_facts
from metaplat.settings import S3Settings
from metaplat.stores.local_objects import LocalObjects
from metaplat.stores.tables.glue import GlueCatalog
from metaplat_tests.standins.glue_api import GlueApi, GlueServer, glue_server, new_catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CATALOG = GlueCatalog("us-east-1")


@pytest.fixture(scope="module")
def server() -> Iterator[GlueServer]:
    with glue_server() as server:
        yield server


@pytest.fixture
def api(server: GlueServer, monkeypatch: pytest.MonkeyPatch) -> GlueApi:
    return new_catalog(server, monkeypatch)


@pytest.fixture
def state(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "state")


def write(path: Path, rows: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"customer_user_id": [str(n) for n in range(rows)]}).write_parquet(path)


def at(location: Path | str, state: LocalObjects) -> SourceFacts:
    source = SourceTable("ext_a", location=str(location))
    return source_facts(source, catalog=None, settings=S3Settings(), state=state)


def test_a_flat_and_a_partitioned_source_are_counted_alike(tmp_path: Path, state: LocalObjects) -> None:
    write(tmp_path / "flat" / "a.parquet", 3)
    write(tmp_path / "flat" / "b.parquet", 4)
    write(tmp_path / "deep" / "dt=1" / "id_bucket=0" / "a.parquet", 3)
    write(tmp_path / "deep" / "b.parquet", 4)
    assert at(tmp_path / "flat", state) == at(f"{tmp_path}/deep/", state) == SourceFacts(found=True, rows=7)


def test_hidden_and_empty_objects_hold_no_rows(tmp_path: Path, state: LocalObjects) -> None:
    folder = tmp_path / "_ext_a"  # hidden is what lies in the table, not where the table lies
    write(folder / "a.parquet", 3)
    write(folder / "_temporary" / "b.parquet", 4)
    write(folder / ".c.parquet", 4)
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / "empty.parquet").write_bytes(b"")
    assert at(folder, state) == SourceFacts(found=True, rows=3)


def test_a_source_without_rows_is_not_a_missing_one(tmp_path: Path, state: LocalObjects) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "zero" / "a.parquet", 0)
    (tmp_path / "file").write_bytes(b"x")
    assert at(tmp_path / "empty", state) == SourceFacts(found=True, rows=0)
    assert at(tmp_path / "zero", state) == SourceFacts(found=True, rows=0)
    assert at(tmp_path / "absent", state) == SourceFacts(found=False)
    assert at(tmp_path / "file", state) == SourceFacts(found=False)


def test_unreadable_files_leave_the_count_unknown_and_are_named(tmp_path: Path, state: LocalObjects) -> None:
    write(tmp_path / "ext_a" / "a.parquet", 3)
    (tmp_path / "ext_a" / "b.csv").write_bytes(b"1,2\n" * 10)
    (tmp_path / "ext_a" / "c.csv").write_bytes(b"1,2\n" * 10)
    facts = at(tmp_path / "ext_a", state)
    assert (facts.found, facts.rows) == (True, None)
    assert "ext_a/b.csv" in str(facts.problem)
    assert "1 more" in str(facts.problem)
    (tmp_path / "ext_a" / "b.csv").unlink()
    (tmp_path / "ext_a" / "c.csv").unlink()
    assert at(tmp_path / "ext_a", state) == SourceFacts(found=True, rows=3)


def test_an_unchanged_source_is_listed_and_not_read(tmp_path: Path, state: LocalObjects) -> None:
    for number in range(3):
        write(tmp_path / "ext_a" / f"{number}.parquet", 2)
    assert at(tmp_path / "ext_a", state).rows == 6
    for path in (tmp_path / "ext_a").iterdir():  # whoever reads it now finds no Parquet
        times = path.stat()
        path.write_bytes(b"x" * times.st_size)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert at(tmp_path / "ext_a", state).rows == 6
    write(tmp_path / "ext_a" / "1.parquet", 5)
    assert at(tmp_path / "ext_a", state).rows == 9


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"form": 1}', b'{"form": 1, "rows": {"a": "1"}}', b'{"form": 9, "rows": {}}']
)
def test_broken_memory_is_counted_again(tmp_path: Path, state: LocalObjects, content: bytes) -> None:
    write(tmp_path / "ext_a" / "a.parquet", 3)
    at(tmp_path / "ext_a", state)
    [kept] = state.list_objects("row_counts/")
    state.put(kept.key, content)
    assert at(tmp_path / "ext_a", state).rows == 3


@dataclass(frozen=True)
class Meanwhile(LocalObjects):
    """A state store, which is asked after the listing, and then something else happens first."""

    happenings: list[Callable[[], None]] = field(default_factory=list)

    def get(self, key: str) -> bytes:
        """Return the content of ``key``, as the store has it after the next happening."""
        if self.happenings:
            self.happenings.pop(0)()
        return super().get(key)


def test_a_source_that_is_written_while_it_is_counted_is_counted_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "ext_a" / "a.parquet"
    write(file, 3)
    once = Meanwhile(tmp_path / "once", happenings=[lambda: write(file, 5)])
    assert at(file.parent, once) == SourceFacts(found=True, rows=5)
    twice = Meanwhile(tmp_path / "twice", happenings=[lambda: write(file, 6), file.unlink])
    facts = at(file.parent, twice)
    assert (facts.found, facts.rows) == (True, None)
    assert "ext_a/a.parquet was removed or rewritten while it was counted" in str(facts.problem)


def test_a_source_on_s3_is_counted(
    moto_endpoint: str, s3_bucket: str, s3_client: Any, tmp_path: Path, state: LocalObjects
) -> None:
    write(tmp_path / "a.parquet", 3)
    for key in ("ext_a/a.parquet", "ext_a/dt=1/a.parquet", "ext_a/_log/a.parquet", "ext_ab/a.parquet"):
        s3_client.upload_file(str(tmp_path / "a.parquet"), s3_bucket, key)
    settings = S3Settings(endpoint_url=moto_endpoint)

    def facts(location: str) -> SourceFacts:
        source = SourceTable("ext_a", location=location)
        return source_facts(source, catalog=None, settings=settings, state=state)

    assert facts(f"s3://{s3_bucket}/ext_a") == SourceFacts(found=True, rows=6)
    assert facts(f"s3://{s3_bucket}/ext_a/") == SourceFacts(found=True, rows=6)
    assert facts(f"s3://{s3_bucket}/ext_a/a.parquet") == SourceFacts(found=False)
    assert facts(f"s3://{s3_bucket}/ext_c") == SourceFacts(found=False)
    assert facts(f"s3://{s3_bucket}") == SourceFacts(found=True, rows=9)
    missing = facts(f"s3://no-{uuid.uuid4().hex}/ext_a")
    assert (missing.found, missing.rows) == (True, None)
    assert "NoSuchBucket" in str(missing.problem)


def test_with_a_database_glue_says_whether_the_source_exists(
    api: GlueApi, tmp_path: Path, state: LocalObjects
) -> None:
    write(tmp_path / "ext_a" / "a.parquet", 3)
    api.add_table("raw", "ext_a", f"{tmp_path}/ext_a/")
    api.add_table("raw", "ext_empty", f"{tmp_path}/absent/")
    api.add_table("raw", "ext_view", None)
    api.add_table("raw", "ext_denied", f"{tmp_path}/ext_a/")
    api.denied = {"ext_denied"}

    def facts(name: str, database: str = "raw") -> SourceFacts:
        source = SourceTable(name, database)
        return source_facts(source, catalog=CATALOG, settings=S3Settings(), state=state)

    counted = facts("ext_a")
    assert (counted.found, counted.rows, counted.problem) == (True, 3, None)
    assert counted.glue is not None
    assert counted.glue.columns == (("customer_user_id", "string"),)
    empty = facts("ext_empty")
    assert (empty.found, empty.rows) == (True, 0)
    assert facts("ext_b") == SourceFacts(found=False)
    view = facts("ext_view")
    assert (view.found, view.rows, view.problem) == (True, None, "ext_view has no location")
    denied = facts("ext_denied")
    assert (denied.found, denied.rows) == (True, None)
    assert "AccessDenied" in str(denied.problem)
    elsewhere = facts("ext_a", "absent")
    assert (elsewhere.found, elsewhere.rows) == (False, None)


def test_a_place_in_the_settings_comes_before_that_of_glue(
    api: GlueApi, tmp_path: Path, state: LocalObjects
) -> None:
    write(tmp_path / "here" / "a.parquet", 3)
    api.add_table("raw", "ext_a", f"{tmp_path}/absent/")
    source = SourceTable("ext_a", "raw", location=f"{tmp_path}/here")
    assert source_facts(source, catalog=CATALOG, settings=S3Settings(), state=state).rows == 3


def test_a_source_in_glue_is_unknown_where_glue_is_not_asked(state: LocalObjects) -> None:
    facts = source_facts(SourceTable("ext_a", "raw"), catalog=None, settings=S3Settings(), state=state)
    assert (facts.rows, facts.problem) == (None, "Glue was not asked for raw.ext_a")
