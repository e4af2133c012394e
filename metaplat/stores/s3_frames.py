"""List thousands of folders of a bucket into one frame.

Here: which requests are made, and Arrow from obstore to polars without a Python object for each file.
Not here: listing few objects (``s3_listing``), keys that obstore refuses (``s3_odd_keys``).
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metaplat.model.errors import MissingExtraError
from metaplat.stores.folder_contents import frame_of_objects, listing_frame
from metaplat.stores.s3_errors import obstore_failures, s3_error
from metaplat.stores.s3_odd_keys import is_odd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from metaplat.stores.s3_objects import S3Objects

MOST_OF_A_DAY = 12
"""So many hours of one day are asked for by listing the day: fewer requests, but one after another."""


@dataclass(frozen=True)
class S3Frames:
    """Lists folders of ``objects``.

    Parameters
    ----------
    objects : S3Objects
        The store.
    width : int
        Requests at a time.
    """

    objects: S3Objects
    width: int

    def listing(self, folders: Sequence[str]) -> pl.DataFrame:
        """Return every file in and below ``folders``, as ``Deliveries.listing``."""
        import polars as pl

        _ensure_arrow()
        asked = list(dict.fromkeys(folders))
        days = _days_to_list(asked, self.width)
        in_days = set(days)
        hours = [folder for folder in asked if _parent(folder) not in in_days]
        with ThreadPoolExecutor(self.width, thread_name_prefix="s3-frames") as pool:
            frames = list(pool.map(self._list, [*days, *hours]))
            if any(frame.is_empty() for frame in frames):
                self.objects.listing.believe_empty()
            found = pl.concat([_by_hour(frames[: len(days)], asked), *frames[len(days) :]])
            return self._without_markers(pool, found)

    def _list(self, folder: str) -> pl.DataFrame:
        """Return what is below one folder; pages come one after another."""
        import polars as pl
        from obstore.exceptions import InvalidPathError

        if is_odd(folder[:-1]):
            return frame_of_objects(folder, self.objects.odd.list_objects(folder))
        try:
            batch = self.objects.client.list(folder, return_arrow=True).collect()
        except InvalidPathError:
            return frame_of_objects(folder, self.objects.odd.list_objects(folder))
        except obstore_failures() as error:
            raise s3_error(self.objects.system, f"list {folder!r}", error) from None
        path = pl.col("path")
        return (
            pl.DataFrame(batch)
            .lazy()
            .filter(path.str.starts_with(folder))  # not the marker of the folder itself
            .select(
                pl.lit(folder).alias("folder"),
                path.str.strip_prefix(folder).alias("name"),
                pl.col("size").cast(pl.Int64),
                pl.col("last_modified").cast(pl.Datetime("us", "UTC")).alias("modified"),
            )
            .collect()
        )

    def _without_markers(self, pool: ThreadPoolExecutor, found: pl.DataFrame) -> pl.DataFrame:
        """Leave out what is no file: consoles mark a folder by an empty object ``folder/``.

        obstore lists it as ``folder``; a listing of one level tells them apart, one request a folder that
        holds empty objects at all.
        """
        import polars as pl

        key = pl.col("folder") + pl.col("name")
        empty = found.filter(pl.col("size") == 0).with_columns(key=key)
        parents = empty["key"].str.replace("[^/]*$", "").unique().to_list()
        if not parents:
            return found
        others = found.filter(pl.col("size") > 0)
        real = pl.concat(pool.map(self._files_in, parents))
        files = empty.filter(pl.col("key").is_in(real.implode())).unique("key").drop("key")
        return pl.concat([others, files.join(others, on=["folder", "name"], how="anti")])

    def _files_in(self, folder: str) -> pl.Series:
        """Return the keys of the objects directly in a folder."""
        import polars as pl
        from obstore.exceptions import InvalidPathError

        if not is_odd(folder[:-1]):
            try:
                listed = self.objects.client.list_with_delimiter(folder, return_arrow=True)
                keys = pl.DataFrame(listed["objects"])["path"]
                return keys.filter(keys.str.starts_with(folder))  # not the marker of the folder itself
            except InvalidPathError:
                pass
            except obstore_failures() as error:
                raise s3_error(self.objects.system, f"list {folder!r}", error) from None
        found = [item.key for item in self.objects.odd.list_objects(folder)]
        return pl.Series("path", found, dtype=pl.String)


def _ensure_arrow() -> None:
    try:
        import arro3.core  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "arro3":
            raise
        raise MissingExtraError("listing delivered files on S3", "arro3-core", "vip") from error


def _days_to_list(asked: Sequence[str], width: int) -> list[str]:
    """Return the folders above ``asked`` that are better listed whole.

    Where all of ``asked`` fit side by side, nothing is faster than that.
    """
    if len(asked) <= width:
        return []
    hours: defaultdict[str, int] = defaultdict(int)
    for folder in asked:
        hours[_parent(folder)] += 1
    return [parent for parent, count in hours.items() if parent and count >= MOST_OF_A_DAY]


def _parent(folder: str) -> str:
    return folder[: folder.rfind("/", 0, -1) + 1]


def _by_hour(days: Sequence[pl.DataFrame], asked: Sequence[str]) -> pl.DataFrame:
    """Return what listings of whole days hold of the folders ``asked``."""
    import polars as pl

    rest = pl.col("name").str.splitn("/", 2).struct
    return (
        pl.concat([listing_frame([], [], [], []), *days])
        .lazy()
        .with_columns(folder=pl.col("folder") + rest.field("field_0") + "/", name=rest.field("field_1"))
        .filter(pl.col("name").is_not_null(), pl.col("folder").is_in(list(asked)))
        .collect()
    )
