"""Listing pages of many hours of delivered files, without keeping a key of them.

Here: ListObjectsV2 (prefix, delimiter, continuation token, start-after) over ``hours`` x ``files`` keys, and
the two small files of each hour that can be read: its saved promise and its list of tables.
Not here: serving them (``stub_s3``).
All hours hold the same names, so the entries of an hour are written out once, and the page of an hour is that
text with the folder put in.
"""

from __future__ import annotations

import bisect
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from xml.sax.saxutils import escape

PAGE = 1000
PARTITIONS = 3
"""Files of each table, about."""

Answer = tuple[int, dict[str, str], bytes]


def hour_files(files: int) -> dict[str, int]:
    """Return names and sizes of the files of an hour, sorted; promise and list of tables are among them."""
    names = ["_MasterTableSchema.json", "_PresignedUrls.json", "createTables.sql"][: min(files, 3)]
    names += [f"{table(number)}_{number % PARTITIONS}.csv.gz" for number in range(files - len(names))]
    return {name: 1000 + 37 * number for number, name in enumerate(sorted(names))}


def table(number: int) -> str:
    """Return the name of the table that a data file belongs to."""
    return f"Table{number // PARTITIONS:05d}"


class HourPages:
    """The keys, by number: ``files`` of them in each hour.

    Parameters
    ----------
    prefix : str
        Before ``YYYYMMDD/HH/``.
    first : str
        The first hour, as ``2022-02-08T08``.
    hours, files : int
        How many hours, and files of each.
    """

    def __init__(self, prefix: str, first: str, hours: int, files: int) -> None:
        start = datetime.strptime(first, "%Y-%m-%dT%H").replace(tzinfo=UTC)
        moments = (start + timedelta(hours=number) for number in range(hours))
        self._folders = [f"{prefix}{moment:%Y%m%d/%H}/" for moment in moments]
        self._files = hour_files(files)
        self._names = list(self._files)
        self._known = frozenset(self._folders)
        self._content = cache(self._written)
        self._entries = [_entry(name, size) for name, size in self._files.items()]
        self.asked: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._folders) * len(self._names)

    def __getitem__(self, number: int) -> str:
        hour, name = divmod(number, len(self._names))
        return self._folders[hour] + self._names[name]

    def object(self, key: str) -> Answer:
        """Answer a request for an object."""
        self.asked["get"] = self.asked.get("get", 0) + 1
        folder, _, name = key.rpartition("/")
        if name not in self._files or f"{folder}/" not in self._known:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        headers = {"ETag": '"e"', "Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"}
        return 200, headers, self._content(name)

    def _written(self, name: str) -> bytes:
        if name == "_PresignedUrls.json":
            files = [{"key": each, "size": size} for each, size in self._files.items() if each != name]
            return json.dumps(files).encode()
        if name == "_MasterTableSchema.json":
            tables = sorted({each.partition("_")[0] for each in self._names if each.startswith("Table")})
            return json.dumps([{"DataObjectName": each} for each in tables]).encode()
        return b"x" * self._files[name]

    def page(self, query: dict[str, str]) -> Answer:
        """Answer a listing request."""
        self.asked["list"] = self.asked.get("list", 0) + 1
        prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
        start = bisect.bisect_left(self, max(prefix, after or query.get("start-after", "")))
        entries = self._below if query.get("delimiter") else self._flat
        shown, then = entries(prefix, start)
        more = then < len(self) and self[then].startswith(prefix)
        token = f"<NextContinuationToken>{escape(self[then])}</NextContinuationToken>" if more else ""
        body = (
            f"<ListBucketResult><Name>bucket</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{shown}</ListBucketResult>"
        )
        return 200, {"Content-Type": "application/xml"}, body.encode()

    def _flat(self, prefix: str, start: int) -> tuple[str, int]:
        """Entries from ``start``, and the number of the key that the next page begins with."""
        last = bisect.bisect_right(self, f"{prefix}\U0010ffff", start, min(len(self), start + PAGE))
        parts, number = [], start
        while number < last:
            hour, name = divmod(number, len(self._names))
            count = min(len(self._names) - name, last - number)
            entries = "".join(self._entries[name : name + count])
            parts.append(entries.replace("\0", self._folders[hour]))
            number += count
        return "".join(parts), last

    def _below(self, prefix: str, start: int) -> tuple[str, int]:
        """Entries of one level: folders as common prefixes; they fit one page."""
        parts, number = [], start
        while number < len(self) and (key := self[number]).startswith(prefix):
            cut = key.find("/", len(prefix)) + 1
            if cut:
                parts.append(f"<CommonPrefixes><Prefix>{key[:cut]}</Prefix></CommonPrefixes>")
                number = bisect.bisect_right(self, f"{key[:cut]}\U0010ffff", number)
            else:
                hour, name = divmod(number, len(self._names))
                parts.append(self._entries[name].replace("\0", self._folders[hour]))
                number += 1
        return "".join(parts), number


def _entry(name: str, size: int) -> str:
    return (
        f"<Contents><Key>\0{name}</Key><LastModified>2022-02-08T08:25:00.000Z</LastModified>"
        f"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>{size}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )
