"""The table that rows are counted against: whether it exists, and its rows.

Here: finding it, in Glue or by its place. Not here: counting (``row_count``), comparing (``rules.tables``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.errors import MetaplatError, PermanentStoreError
from metaplat.model.table_evidence import SourceFacts
from metaplat.monitor.row_count import count_rows
from metaplat.stores.tables.glue import MISSING

if TYPE_CHECKING:
    from metaplat.model.glue_table import GlueTable
    from metaplat.model.table import SourceTable
    from metaplat.settings import S3Settings
    from metaplat.stores.objects import ObjectStore
    from metaplat.stores.tables.glue import GlueCatalog


def source_facts(
    source: SourceTable, *, catalog: GlueCatalog | None, settings: S3Settings, state: ObjectStore
) -> SourceFacts:
    """Find a source table and count its rows; what fails becomes the problem of the facts.

    A table that Glue has and that holds no data files has 0 rows. Where it is unknown whether the source
    exists it is called found, with a problem.

    Parameters
    ----------
    source : SourceTable
        With a database it must be in Glue; its own location, where it has one, comes before Glue's.
    catalog : GlueCatalog or None
        None where Glue cannot be asked.
    settings : S3Settings
        Section ``[s3]``.
    state : ObjectStore
        Where the rows of each file are remembered.
    """
    if source.database is None:
        return _at_location(source, None, settings, state)
    if catalog is None:
        return SourceFacts(found=True, problem=f"Glue was not asked for {source.database}.{source.name}")
    try:
        glue = catalog.table(source.database, source.name)
    except MetaplatError as error:
        is_missing = isinstance(error, PermanentStoreError) and error.answer.startswith(MISSING)
        return SourceFacts(found=not is_missing, problem=str(error))
    if glue is None:
        return SourceFacts(found=False)
    return _at_location(source, glue, settings, state)


def _at_location(
    source: SourceTable, glue: GlueTable | None, settings: S3Settings, state: ObjectStore
) -> SourceFacts:
    location = source.location or (glue.location if glue else None)
    if not location:
        return SourceFacts(found=True, glue=glue, problem=f"{source.name} has no location")
    try:
        counted = count_rows(location.rstrip("/") or "/", settings, state)
    except MetaplatError as error:
        return SourceFacts(found=True, glue=glue, problem=str(error))
    if not counted.exists:  # to Glue a table without any object is an empty table
        return SourceFacts(found=glue is not None, rows=None if glue is None else 0, glue=glue)
    return SourceFacts(found=True, rows=counted.rows, glue=glue, problem=counted.problem)
