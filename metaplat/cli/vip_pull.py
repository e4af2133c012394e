"""``metaplat vip pull``, ``status``, ``verify`` and ``repair``: the extract of an hour."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metaplat.cli.options import Config, Json, configured_stores
from metaplat.cli.output import note, print_json, print_table, progress_bar
from metaplat.cli.vip_options import Hour, parse_hour
from metaplat.model.errors import MetaplatError
from metaplat.model.extract import ExtractStatus, hour_start
from metaplat.orchestration.clock import utc_now
from metaplat.orchestration.vip.extracts import land_extract
from metaplat.orchestration.vip.standing import vip_standing
from metaplat.vip.pulling.document import extract_document
from metaplat.vip.pulling.pull import pull as pull_extract
from metaplat.vip.pulling.remembered import ExtractMemory
from metaplat.vip.pulling.repair import repair as repair_extract
from metaplat.vip.pulling.verify import verify as verify_extract

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from metaplat.model.extract import Extract
    from metaplat.stores.home import Stores

EXIT_CODES = {
    ExtractStatus.OK: 0,
    ExtractStatus.LATE: 0,
    ExtractStatus.SKIPPED: 0,
    ExtractStatus.INCOMPLETE: 1,
    ExtractStatus.MISSING: 1,
    ExtractStatus.RUNNING: 3,
    ExtractStatus.FAILED: 3,
}
INTERRUPTED = "interrupted; what is done is kept, and running again goes on with it"
MAX_TOLD = 50
"""Files that are told one by one."""


def pull(hour: Hour = None, json: Json = False, config: Config = None) -> None:
    """Pull the extract of the current hour: every promised file, each verified before it becomes visible.

    The job is noted the moment it is known, so a pull that was killed, or is run again, goes on with the same
    job and fetches only what is missing; it never asks for a second export. Extracts of earlier hours that
    have not ended are gone on with, too. Too early is no failure: the status is skipped, with the next time.
    With --json, one document. Exit code 0: ok or skipped; 1: files are missing or wrong, or the hour is
    missing, as a past one without a job, which can never be pulled; 3: the vendor or a store failed. Where
    extracts of earlier hours were gone on with, the worst of all counts.

    Example: metaplat vip pull --json
    """
    stores, named = configured_stores(), parse_hour(hour) if hour else None

    def run(draw: Any) -> tuple[Extract, list[Extract]]:
        pulled = pull_extract(
            stores.settings,
            stores.state,
            utc_now,
            hour=named,
            progress=draw,
            tell=note,
            saved=land_extract(stores, utc_now()),
        )
        return pulled.extract, list(pulled.resumed)

    _run(stores, named or hour_start(utc_now()), run, as_json=json)


def verify(
    hour: Hour = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read the files, and compare their checksums.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Compare what was promised for an hour with what lies in its folder, by name and size.

    Nothing is fetched. Hours pulled by other clients are judged by the promise they saved. Exit codes as of
    pull.

    Example: metaplat vip verify --hour 2026-11-21T08:00Z
    """
    stores = configured_stores()
    chosen = parse_hour(hour) if hour else hour_start(utc_now())

    def run(draw: Any) -> tuple[Extract, list[Extract]]:
        del draw
        return verify_extract(stores.settings, stores.state, chosen, utc_now, deep=deep), []

    _run(stores, chosen, run, as_json=json)


def repair(hour: Hour = None, json: Json = False, config: Config = None) -> None:
    """Fetch what is missing or wrong in an hour, from the job that was noted for it.

    No export is ever asked for: an hour without a job cannot be repaired. Exit codes as of pull.

    Example: metaplat vip repair --hour 2026-11-21T08:00Z
    """
    stores = configured_stores()
    chosen = parse_hour(hour) if hour else hour_start(utc_now())

    def run(draw: Any) -> tuple[Extract, list[Extract]]:
        land = land_extract(stores, utc_now())
        repaired = repair_extract(
            stores.settings, stores.state, chosen, utc_now, progress=draw, tell=note, saved=land
        )
        return repaired, []

    _run(stores, chosen, run, as_json=json)


def status(json: Json = False, config: Config = None) -> None:
    """Show how the hours of the last day stand, when the next export is allowed, and the error budget.

    Example: metaplat vip status
    """
    stores = configured_stores()
    standing = vip_standing(stores, utc_now())
    if json:
        print_json(standing)
        return
    print_table(
        ("hour", "status", "files", "bytes", "found"),
        [
            [
                each["hour"][:16].replace("T", " "),
                each["status"],
                f"{each['files_delivered']}/{each['files_promised']}",
                each["bytes"],
                each["reason"],
            ]
            for each in standing["extracts"]
        ],
        width=None,
    )
    for line in standing["sentences"]:
        note(line)


def _run(
    stores: Stores, hour: datetime, run: Callable[[Any], tuple[Extract, list[Extract]]], *, as_json: bool
) -> None:
    """Run one of the commands, print what it left, and exit by that."""
    try:
        with progress_bar() as draw:
            extract, resumed = run(draw)
    except MetaplatError as error:
        if as_json:
            print_json(_failed_document(stores, hour, str(error)))
        raise
    except KeyboardInterrupt:
        if as_json:
            print_json(_failed_document(stores, hour, INTERRUPTED))
        else:
            note(INTERRUPTED)
        raise
    documents = [extract_document(each) for each in (extract, *resumed)]
    if as_json:
        print_json({**documents[0], "resumed": documents[1:]})
    else:
        for document in documents:
            _print_extract(document)
    code = max(EXIT_CODES[each.status] for each in (extract, *resumed))
    if code:
        raise typer.Exit(code)


def _failed_document(stores: Stores, hour: datetime, reason: str) -> dict[str, Any]:
    """Return the document of an hour whose work could not go on: what is known of it, and why."""
    from metaplat.model.extract import Extract

    vip, known = stores.settings.vip, None
    with suppress(MetaplatError):  # where the state store itself is what failed, the error says so
        known = ExtractMemory(stores.state).load(vip.config, hour)
    if known is None:
        folder = vip.folder(hour)
        known = Extract(vip.config, vip.environment, hour, folder, ExtractStatus.FAILED)
    return {**extract_document(known.with_status(known.status, reason)), "resumed": []}


def _print_extract(document: dict[str, Any]) -> None:
    print_table(
        ("hour", "status", "job", "promised", "delivered", "bytes", "mismatches", "seconds"),
        [
            [
                document["hour"][:16].replace("T", " "),
                document["status"],
                document["job_guid"],
                document["files_promised"],
                document["files_delivered"],
                document["bytes"],
                document["mismatches"],
                document["seconds"],
            ]
        ],
        width=None,
    )
    if document["reason"]:
        note(document["reason"])
    for problem in document["problems"][:MAX_TOLD]:
        note(f"{problem['name']}: {problem['problem']}")
