"""The zip of an event log, unpacked into a folder and never beyond it.

Here: what a zip may claim, and its entries as files.
Not here: having it (``zipped_logs``), what is in its files (``log_files``).
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from metaplat.model.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ENTRIES = 50_000
MOST_PARTS = 8
LARGEST_RATIO = 400
FREE_RATIO_BYTES = 256 << 20
"""Below, no ratio is suspicious: an event log is repetitive, but not that much."""
SPARE_BYTES = 512 << 20
"""So much room is left to others on the disk of the temporary folder."""
CHUNK_BYTES = 1 << 20


def room(folder: Path) -> int:
    """Return how many bytes may still be written below ``folder``."""
    return max(0, shutil.disk_usage(folder).free - SPARE_BYTES)


def unpack_archive(archive: Path, folder: Path) -> None:
    """Unpack a zip file.

    Parameters
    ----------
    archive : Path
        The zip.
    folder : Path
        Is made; holds its entries afterwards.

    Raises
    ------
    InvalidInputError
        It is no zip, damaged, or holds what no event log has: too many entries, names that lead elsewhere,
        the same name twice, far more than its size can be worth; or there is no room for it.
    """
    folder.mkdir()
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            targets = _targets(entries, archive.stat().st_size, room(folder))
            for entry, target in zip(entries, targets, strict=True):
                _unpack(opened, entry, folder / target)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise InvalidInputError(f"its zip is damaged ({type(error).__name__})") from None
    except OSError as error:
        raise InvalidInputError(
            f"its zip cannot be unpacked to the temporary folder ({error.strerror})"
        ) from None


def _targets(entries: Sequence[zipfile.ZipInfo], size: int, space: int) -> list[PurePosixPath]:
    """Return where the entries belong below the folder, if a History Server may have made the zip."""
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES:
        raise InvalidInputError(f"its zip has {len(entries):,} entries, more than any event log")
    if unpacked > max(FREE_RATIO_BYTES, LARGEST_RATIO * size):
        raise InvalidInputError(f"its zip of {size:,} bytes claims to hold {unpacked:,}")
    if unpacked > space:
        raise InvalidInputError(
            f"its log of {unpacked:,} bytes has no room in the temporary folder; name another one by TMPDIR"
        )
    targets = [_target(entry.filename) for entry in entries]
    if len(set(targets)) < len(targets):
        raise InvalidInputError("its zip holds the same name twice")
    return targets


def _target(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    strange = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not path.parts
    if strange or len(path.parts) > MOST_PARTS or not name.isprintable():
        raise InvalidInputError("its zip holds a name that leads out of it")
    return path


def _unpack(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as source, target.open("xb") as sink:
        shutil.copyfileobj(source, sink, CHUNK_BYTES)
