"""Source ``kubectl``: files written by ``kubectl get jobs|pods|events -o json``.

Here: finding the files, reading them, telling the kinds apart, merging several files of a kind.
Not here: what the objects mean (``objects``, ``executions``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from metaplat.collectors.kubernetes.executions import executions
from metaplat.collectors.kubernetes.objects import Kind, Snapshot
from metaplat.collectors.kubernetes.reading import Read, read_all, read_event, read_job, read_pod
from metaplat.model.errors import InvalidInputError, PermanentSourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from metaplat.collectors.collector import CollectRequest

COMMAND = "kubectl get jobs,pods,events --all-namespaces -o json"


def collect_saved(request: CollectRequest) -> Iterator[Mapping[str, Any]]:
    """Yield the executions found in saved ``kubectl`` output.

    Parameters
    ----------
    request : CollectRequest
        ``path`` is a file, or a folder whose ``*.json`` files are read together.

    Raises
    ------
    UsageError
        No path was given.
    PermanentSourceError
        The path does not exist or cannot be read.
    InvalidInputError
        A file is not JSON, or no list of Jobs is among the files.
    """
    if request.path is None:
        raise UsageError(f"source kubectl needs a path: a file or folder written by `{COMMAND}`")
    lists = _read_lists(request.path)
    if Kind.JOB not in lists:
        raise InvalidInputError(f"{request.path}: no list of Jobs found; write one with `{COMMAND}`")
    for kind, lost in ((Kind.POD, "attempts, exit codes and pod reasons"), (Kind.EVENT, "mount failures")):
        if kind not in lists:
            request.warn(f"{request.path}: no list of {kind}s found: {lost} stay unknown")
    jobs, pods, events = (lists.get(kind) for kind in Kind)
    snapshot = Snapshot(
        jobs=_newest(read_all(jobs or [], Kind.JOB, read_job, request.warn)),
        pods=None if pods is None else _newest(read_all(pods, Kind.POD, read_pod, request.warn)),
        events=None if events is None else _newest(read_all(events, Kind.EVENT, read_event, request.warn)),
    )
    return executions(snapshot, request)


def _read_lists(path: Path) -> dict[Kind, list[object]]:
    """Collect the items of each kind that is present; a list without items is present."""
    lists: dict[Kind, list[object]] = {}
    for file in _files(path):
        document = _read_json(file)
        listed = _kind_of_file(document, file)
        if listed is not None:
            lists.setdefault(listed, [])
        for item in _items(document, file):
            kind = _kind_of_item(item, listed)
            if kind is not None:
                lists.setdefault(kind, []).append(item)
    return lists


def _files(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        return sorted(file for file in path.iterdir() if file.suffix.lower() == ".json" and file.is_file())
    except OSError as error:
        raise _unreadable(path, error) from None


def _read_json(file: Path) -> object:
    """Read one JSON document in any Unicode encoding (PowerShell redirects as UTF-16)."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from None
    if not content.strip():
        raise InvalidInputError(f"{file}: the file is empty, not JSON")
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidInputError(f"{file}: not JSON at {where}: {error.msg}; was it cut off?") from None
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{file}: not Unicode text at byte {error.start}") from None
    except (RecursionError, ValueError) as error:  # nested too deep; a number of thousands of digits
        raise InvalidInputError(f"{file}: cannot be read as JSON ({type(error).__name__})") from None


def _unreadable(path: Path, error: OSError) -> PermanentSourceError:
    return PermanentSourceError(
        "saved kubectl output", f"read {path}", error.strerror or type(error).__name__, "Check the path."
    )


def _items(document: object, file: Path) -> list[object]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return []
    if "items" not in document:
        return [document]
    items = document["items"]
    if items is None:
        return []
    if not isinstance(items, list):
        raise InvalidInputError(f"{file}: items is {type(items).__name__}, not a list")
    return items


def _kind_of_file(document: object, file: Path) -> Kind | None:
    """Kind that the whole file holds: as its list says, else as its name says (``jobs-monday.json``)."""
    said = document.get("kind") if isinstance(document, dict) else None
    if isinstance(said, str) and said != "List":
        return next((kind for kind in Kind if said in {kind, f"{kind}List"}), None)
    return next((kind for kind in Kind if file.name.lower().startswith(f"{kind.lower()}s")), None)


def _kind_of_item(item: object, listed: Kind | None) -> Kind | None:
    """Kind of one item: items of an API list say none, items of a mixed list say their own."""
    if not isinstance(item, dict):
        return listed
    said, version = item.get("kind"), item.get("apiVersion")
    if isinstance(said, str):
        is_foreign = said == Kind.JOB and isinstance(version, str) and not version.startswith("batch/")
        return next((kind for kind in Kind if said == kind and not is_foreign), None)
    return _kind_of_shape(item) or listed


def _kind_of_shape(item: dict[str, Any]) -> Kind | None:
    spec = item.get("spec")
    if "involvedObject" in item:
        return Kind.EVENT
    if not isinstance(spec, dict):
        return None
    if "containers" in spec:
        return Kind.POD
    is_job = "template" in spec and "status" in item and "replicas" not in spec
    return Kind.JOB if is_job else None


def _newest(found: list[Read]) -> list[Read]:
    """Keep the newest writing of each object; the later file decides where versions do not."""
    kept: dict[object, Read] = {}
    for place, thing in enumerate(found):
        key: object = thing.uid or place
        if key not in kept or _version(thing) >= _version(kept[key]):
            kept[key] = thing
    return list(kept.values())


def _version(thing: Read) -> int:
    is_number = thing.version is not None and thing.version.isascii() and thing.version.isdigit()
    return int(thing.version or 0) if is_number else 0
