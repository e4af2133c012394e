"""Every profile of every table, one Parquet object a run: the source of trends.

Here: ``lake/table_profiles/table=<identity>/date=<day>/<time>-<run>.parquet``; the names say which runs are
newest. Not here: what the next run needs (``profile_state``), judging changes (``rules.tables``).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError, PermanentStoreError
from metaplat.model.polars_schema import polars_schema
from metaplat.model.table_metrics import METRICS, TABLE_PROFILES
from metaplat.monitor.profile_state import decoded_name, encoded_name

if TYPE_CHECKING:
    import polars as pl

    from metaplat.model.landed import ObjectInfo
    from metaplat.model.table_metrics import TableProfile
    from metaplat.stores.objects import ObjectStore

PREFIX = f"lake/{TABLE_PROFILES}"
FOLDER = "table="


@dataclass(frozen=True)
class History:
    """The metrics frames of earlier runs.

    Every method raises TransientStoreError or PermanentStoreError where the store fails.

    Parameters
    ----------
    objects : ObjectStore
        Its root holds the folder ``lake/``.
    """

    objects: ObjectStore

    def append(self, profile: TableProfile) -> ObjectInfo:
        """Keep a profile's frame; the same run again replaces it.

        Raises
        ------
        InvalidInputError
            The frame is empty, or has not the columns of ``METRICS``.
        """
        if profile.frame.is_empty() or dict(profile.frame.schema) != polars_schema(METRICS):
            raise InvalidInputError(f"table {profile.table.name}: history keeps metrics frames only")
        run, moment = profile.frame.item(0, "run_id"), profile.frame.item(0, "profiled_at").astimezone(UTC)
        name = f"{moment:%H%M%S.%f}-{encoded_name(run)}.parquet"
        content = io.BytesIO()
        profile.frame.write_parquet(content, compression="zstd")
        return self.objects.put(
            f"{_folder(profile.table.identity)}date={moment:%Y-%m-%d}/{name}", content.getvalue()
        )

    def load(self, identity: str, runs: int) -> pl.DataFrame:
        """Return the frames of the newest ``runs`` runs of a table, oldest first, columns of ``METRICS``.

        Raises
        ------
        PermanentStoreError
            One of them cannot be read; it is named.
        """
        import polars as pl

        keys = [item.key for item in self.objects.list_objects(_folder(identity))]
        newest = [key for key in keys if key.endswith(".parquet")][-runs:] if runs > 0 else []
        contents = self.objects.get_many(newest)
        frames = [self._frame(key, content) for key, content in contents if content is not None]
        return pl.concat([pl.DataFrame(schema=polars_schema(METRICS)), *frames])

    def identities(self, name: str) -> list[str]:
        """Return the identities of the tables called ``name``, or of the one with that identity."""
        folders = {folder.removeprefix(FOLDER) for folder in self.objects.list_folders(f"{PREFIX}/", 1)}
        if encoded_name(name) in folders:
            return [name]
        begin = encoded_name(f"{name}@")
        scopes = [folder.removeprefix(begin) for folder in sorted(folders) if folder.startswith(begin)]
        return [f"{name}@{decoded_name(scope)}" for scope in scopes]

    def latest(self, identity: str) -> pl.DataFrame | None:
        """Return the newest frame of a table; None where it was never profiled."""
        frame = self.load(identity, 1)
        return None if frame.is_empty() else frame

    def _frame(self, key: str, content: bytes) -> pl.DataFrame:
        """Return a stored frame; a column that it lacks is null, one no longer declared is left out."""
        import polars as pl
        from polars.exceptions import PanicException, PolarsError

        try:
            frame = pl.read_parquet(io.BytesIO(content))
            columns = [
                pl.col(name).cast(dtype) if name in frame.columns else pl.lit(None, dtype).alias(name)
                for name, dtype in polars_schema(METRICS).items()
            ]
            return frame.select(columns)
        except (PolarsError, PanicException) as error:
            raise PermanentStoreError(
                f"{self.objects.address}/{key}",
                "read a profile from the history",
                (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip("."),
                "Move the file away; the other runs stay.",
            ) from None


def _folder(identity: str) -> str:
    return f"{PREFIX}/{FOLDER}{encoded_name(identity)}/"
