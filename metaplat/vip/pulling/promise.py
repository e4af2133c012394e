"""What is promised: the list of files as an extract keeps it.

Here: a first list, and a later one of the same job joined with what is known already.
Not here: asking for it (``waiting``), which files are safe (``collectors.vip.safe_files``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metaplat.model.extract import ExtractFile, FileOutcome

if TYPE_CHECKING:
    from metaplat.collectors.vip.safe_files import SortedFiles
    from metaplat.model.extract import Extract

UNLISTED = "the job does not list it any more"


def with_promise(extract: Extract, listed: SortedFiles) -> Extract:
    """Return an extract with what a list of its job promises, by name.

    A file that is known keeps what is known of it, unless it is promised otherwise now. One that is not
    listed any more stays promised: what was promised once is delivered or told.
    """
    known = {each.promised.name: each for each in extract.files if each.outcome is not FileOutcome.REFUSED}
    refused = {each.promised.name for each in listed.refused}
    files = list(listed.refused)
    for each in listed.safe:
        before = known.pop(each.promised.name, None)
        same = before is not None and before.promised == each.promised
        files.append(before if same and before else ExtractFile(each.promised))
    files += [_unlisted(each) for name, each in known.items() if name not in refused]
    return replace(
        extract, files=tuple(sorted(files, key=lambda each: (each.promised.name, each.promised.key)))
    )


def _unlisted(file: ExtractFile) -> ExtractFile:
    if file.outcome is FileOutcome.DELIVERED:
        return file
    return replace(file, outcome=FileOutcome.FAILED, problem=UNLISTED)
