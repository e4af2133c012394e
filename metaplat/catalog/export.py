"""Observations as a file: Parquet, CSV or NDJSON, from the months in the lake.

Here: filtering and writing, streamed, into a file that appears whole.
Not here: bringing the lake up to date (``ingest.cataloged``), pages of a search (``search``).
"""

from __future__ import annotations

import io
import uuid
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import PermanentStoreError
from metaplat.model.filters import And, Compare, Filter
from metaplat.model.observation import FileState
from metaplat.stores.catalog.polars_filter import polars_expression

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from metaplat.model.domain import MetadataDomain
    from metaplat.stores.lake import Lake


class ExportFormat(StrEnum):
    """Forms of an export."""

    PARQUET = "parquet"
    CSV = "csv"
    NDJSON = "ndjson"


def export_observations(
    lake: Lake,
    domain: MetadataDomain,
    where: Filter,
    target: Path,
    form: ExportFormat,
    *,
    columns: Sequence[str] = (),
    absent: bool = False,
) -> int:
    """Write the matching observations to a file, by time, those without one first.

    Parameters
    ----------
    lake : Lake
        Where the months are; they are read as they are.
    domain : MetadataDomain
        The observations.
    where : Filter
        Checked already.
    target : Path
        The file; it is replaced in one step once everything is written.
    form : ExportFormat
        Its form.
    columns : sequence of str
        Wanted ones; empty means all.
    absent : bool
        Also rows whose file is vanished or rejected.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    PermanentStoreError
        The target cannot be written, or a month cannot be read.
    """
    import polars as pl

    from metaplat.model.polars_schema import polars_schema

    schema = polars_schema(domain.columns)
    stored = lake.objects.get_many(lake.files(domain))
    contents: list[Any] = [io.BytesIO(content) for _, content in stored if content]
    frame = pl.scan_parquet(contents, schema=schema) if contents else pl.LazyFrame(schema=schema)
    if not absent:
        where = And((where, Compare("file_state", "=", FileState.PRESENT.value)))
    chosen = frame.filter(polars_expression(where)).select(columns or list(schema))
    aside = _beside(target)
    try:
        rows = chosen.select(pl.len()).collect().item()
        _sink(chosen, aside, form)
        aside.replace(target)
    except OSError as error:
        raise _unwritable(target, error.strerror or str(error)) from error
    except pl.exceptions.PolarsError as error:
        raise _unwritable(target, str(error).partition("\n")[0].rstrip(".")) from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return int(rows)


def _sink(frame: pl.LazyFrame, path: Path, form: ExportFormat) -> None:
    if form is ExportFormat.PARQUET:
        frame.sink_parquet(path, compression="zstd", compression_level=1, maintain_order=True)
    elif form is ExportFormat.CSV:
        frame.sink_csv(path, maintain_order=True, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
    else:
        frame.sink_ndjson(path, maintain_order=True)


def _beside(target: Path) -> Path:
    """Return a path of our own in the folder of the target, where a rename is one step.

    It is made with the permissions that a new file has here; those of ``tempfile`` shut all others out.
    """
    aside = target.parent / f".metaplat-{uuid.uuid4().hex}"
    try:
        aside.touch(exist_ok=False)
    except OSError as error:
        raise _unwritable(target, error.strerror or str(error)) from error
    return aside


def _unwritable(target: Path, answer: str) -> PermanentStoreError:
    advice = "Make its folder writable, free some space, or name another file."
    return PermanentStoreError(str(target), "export observations", answer, advice)
