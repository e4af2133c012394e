"""Answers that are not what was asked for, as errors of ours.

Here: what the vendor says, without secrets; whose fault a status is, and what to do.
Not here: answers that say too early (``too_early``), lost connections (``broken_connections``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.collectors.vip.call import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from metaplat.collectors.vip.json_answers import read_json, value_of
from metaplat.collectors.vip.retrying import PassingError
from metaplat.collectors.vip.times_in_text import pause_in
from metaplat.model.errors import InvalidInputError, PermanentSourceError

if TYPE_CHECKING:
    from datetime import datetime

    from metaplat.collectors.vip.call import Answer
    from metaplat.collectors.vip.exchange import Exchange
    from metaplat.model.errors import SourceError
    from metaplat.settings.vip import VipSettings

PASSING = {408, 425, 429}
"""Statuses below 500 after which the same call may do."""
WRONG_ADDRESS = {NOT_FOUND, 405, 410}
LONGEST_SHOWN = 200
LONGEST_MESSAGE = 4000
MESSAGE_FIELDS = ("error_description", "detail", "title", "error")
"""Where others than ``message_field`` put their message: OAuth 2.0, RFC 9457."""


def vendor_message(answer: Answer, settings: VipSettings, exchange: Exchange) -> str | None:
    """Return what the vendor says, on one line and without secrets; None where it says nothing."""
    if not answer.content:
        return None
    try:
        document = read_json(answer.content, settings.max_json_depth)
    except InvalidInputError:
        document = answer.content.decode("utf-8", "replace")
    if isinstance(document, str):
        text: object = "" if document.lstrip().startswith("<") else document  # pages are for browsers
    else:
        named = (value_of(document, name) for name in (settings.message_field, *MESSAGE_FIELDS))
        text = next((each for each in named if isinstance(each, str) and each.strip()), "")
    printable = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return exchange.hide(" ".join(printable.split()))[:LONGEST_MESSAGE] or None


def told(answer: Answer, message: str | None) -> str:
    """Return status and message as an error tells them."""
    if not message:
        return f"HTTP {answer.status}"
    cut = message if len(message) <= LONGEST_SHOWN else f"{message[:LONGEST_SHOWN]}..."
    return f"HTTP {answer.status}: {cut}".rstrip(".")


def refusal(answer: Answer, message: str | None, now: datetime) -> SourceError:
    """Return what is to be raised for a status that is no success.

    Parameters
    ----------
    answer : Answer
        What came back.
    message : str or None
        As of ``vendor_message``.
    now : datetime
        Aware UTC, for a ``Retry-After`` that is a time.
    """
    call, status = answer.call, answer.status
    if status >= 500 or status in PASSING:
        pause = pause_in(answer.retry_after, now)
        return PassingError(call.system, call.attempted, told(answer, message), "Wait a little first.", pause)
    return PermanentSourceError(call.system, call.attempted, told(answer, message), _advice(answer))


def document_of(answer: Answer, limit_key: str, settings: VipSettings) -> object:
    """Return the content of a success, parsed; None where it has none.

    Parameters
    ----------
    answer : Answer
        What came back.
    limit_key : str
        Setting that limits its size.
    settings : VipSettings
        How deep it may be nested.

    Raises
    ------
    PassingError
        It is no JSON, or nested too deeply: something else may have answered.
    PermanentSourceError
        It is longer than allowed.
    """
    call = answer.call
    if answer.content is None:
        told_size = f"HTTP {answer.status}, and the answer is longer than {call.largest_bytes:,} bytes"
        advice = f"Where that is right, raise vip.{limit_key}."
        raise PermanentSourceError(call.system, call.attempted, told_size, advice)
    try:
        return read_json(answer.content, settings.max_json_depth)
    except InvalidInputError as error:
        raise unreadable(answer, str(error)) from None


def unreadable(answer: Answer, problem: str) -> PassingError:
    """Return what is to be raised for a success that is none.

    What ``problem`` says follows "the answer", as in "is no JSON".
    """
    call = answer.call
    advice = f"Check {call.keys}: something else may answer there."
    return PassingError(
        call.system, call.attempted, f"HTTP {answer.status}, and the answer {problem}", advice
    )


def _advice(answer: Answer) -> str:
    call, status = answer.call, answer.status
    if 300 <= status < 400:
        return f"Redirects are not followed. Check {call.keys}."
    if status == UNAUTHORIZED:
        return "A new token was refused, too. Ask the vendor what this client may do."
    if status == FORBIDDEN:
        return "Ask the vendor what this client may do, and whether it accepts your addresses only."
    if status in WRONG_ADDRESS:
        return f"Check {call.keys}."
    return "Check the settings of section [vip]."
