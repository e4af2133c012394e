"""Options that the commands of ``metaplat vip`` share: hours, however people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from metaplat.model.errors import UsageError
from metaplat.model.extract import hour_start

FORMS = ("%Y%m%d-%H", "%Y%m%d/%H", "%Y-%m-%d-%H:%M", "%Y-%m-%d-%H", "%Y-%m-%d %H", "%Y-%m-%dT%H")
"""Besides ISO 8601: as folders, old history files and partition keys write an hour."""

Hour = Annotated[
    str | None,
    typer.Option(
        help="Hour in UTC: 2026-11-21T08:00Z, 2026-11-21-08:00 or 20261121-08; default: the present one."
    ),
]


def parse_hour(text: str, *, end_of_day: bool = False) -> datetime:
    """Return the start of the hour that a person means, aware UTC.

    Parameters
    ----------
    text : str
        The hour; without a zone it is UTC. A day alone means its first hour.
    end_of_day : bool
        Whether a day alone means its last hour.

    Raises
    ------
    UsageError
        It is no hour.
    """
    text = text.strip()
    for form in FORMS:
        try:
            return hour_start(datetime.strptime(text, form).replace(tzinfo=UTC))
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"no hour {text!r}: write it like 2026-11-21T08:00Z or 20261121-08") from None
    if len(text) in {8, 10}:  # a day alone
        return moment.replace(hour=23 if end_of_day else 0, tzinfo=UTC)
    return hour_start(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
