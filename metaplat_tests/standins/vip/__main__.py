"""The stand-in vendor as a program: prints one line of JSON that says how to reach it, and serves.

Here: options, the line, ending on SIGINT and SIGTERM.
Not here: the server (``server``).
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from datetime import UTC, datetime
from typing import Any

from metaplat_tests.standins.vip.faults import FAULTS
from metaplat_tests.standins.vip.scenario import Scenario, VirtualClock
from metaplat_tests.standins.vip.server import VipServer


def main() -> int:
    """Run it."""
    options = _options()
    if options.list_faults:
        for name, doc in FAULTS.items():
            print(f"{name:28} {doc}")  # noqa: T201
        return 0
    scenario = Scenario(
        faults=options.fault, files=options.files, tables=options.tables, size=options.size,
        spread=options.spread, seed=options.seed, victims=options.victims or None,
        minutes_per_poll=options.minutes_per_poll,
    )  # fmt: skip
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    clock = VirtualClock.starting(options.now) if options.now else VirtualClock()
    with VipServer(scenario, clock, options.port) as server:
        print(json.dumps(_told(server)), flush=True)  # noqa: T201
        ended.wait()
    return 0


def _told(server: VipServer) -> dict[str, Any]:
    return {
        "auth_url": server.auth_url,
        "api_url": server.api_url,
        "files_url": server.files_url,
        "control_url": f"{server.url}/_standin",
        "company": server.scenario.company,
        "client_id": server.scenario.client_id,
        "client_secret": server.scenario.client_secret,
        "environment": server.environment,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m metaplat_tests.standins.vip",
        description="Play the vendor of the lake on 127.0.0.1.",
        epilog="While it runs: GET /_standin; POST /_standin/clock {\"advance_seconds\": 3600}; "
        "POST /_standin/faults {\"faults\": [\"file_cut_once\"]}.",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=0, help="to listen on; 0: a free one")
    parser.add_argument("--fault", action="append", default=[], choices=list(FAULTS), metavar="NAME",
                        help="what is wrong; may be given several times")  # fmt: skip
    parser.add_argument("--files", type=int, help="data files of a job; else one to four for each table")
    parser.add_argument("--tables", type=int, default=30, help="tables of a job, at most 30")
    parser.add_argument("--size", type=int, default=20_000, help="mean bytes of a data file")
    parser.add_argument("--spread", type=float, default=0.5, help="0: all files of one size")
    parser.add_argument("--seed", type=int, default=0, help="of sizes, contents and job identifiers")
    parser.add_argument("--victims", type=int, default=1, help="files that faults hit; 0: all")
    parser.add_argument(
        "--minutes-per-poll", type=float, default=10.0, help="that a job goes on at each question"
    )
    parser.add_argument(
        "--now", type=_moment, help="time on its clock at the start, such as 2022-02-08T08:10Z"
    )
    parser.add_argument("--list-faults", action="store_true", help="say what can be wrong, and end")
    return parser.parse_args()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    raise SystemExit(main())
