"""What may be told of a text that comes from outside, and log records without secrets.

Here: the forms in which signatures, tokens and keys occur; a filter of log records while a pull runs.
Not here: our own messages, which hold host and path of an address only (``model.errors.shown_address``).
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = "[hidden]"
FAMILIES = ("aiohttp", "asyncio", "botocore", "boto3", "httpx", "httpcore", "urllib3")
"""Loggers that are told whole addresses, headers or bodies, with all loggers below them."""

_NAMES = (
    r"X-Amz-(?:Signature|Credential|Security-Token)|Signature|Credential|AWSAccessKeyId|"
    r"api_?Token|access_?token|refresh_?token|client_?secret|client_?assertion|(?:Veson_)?client_?(?:id|secret)|"
    r"aws_?(?:access|secret)_?(?:access_?)?key(?:_?id)?|Secret(?:String|Binary)|password"
)
_PARAMETER = re.compile(rf"({_NAMES})(=|%(?:25)*3D)(?!\[hidden\])[^&\s\"<>]+", re.IGNORECASE)
"""It may take a bracket or comma along that follows; a secret may hold them, too."""
_FIELD = re.compile(
    rf"(\\*[\"'](?:{_NAMES})\\*[\"']\s*:\s*b?)(\\*)([\"'])(?:.*?(?<!\\)\2\3|.*)", re.IGNORECASE | re.DOTALL
)
"""A field of JSON, of JSON within JSON, or of a printed dict; one that was cut off goes to the end."""
_BEARER = re.compile(r"\b(Bearer|Basic)\s+(?=\S*[0-9.=+/_-])[\w.~+/=-]{6,}", re.IGNORECASE)
"""A word of letters alone is more likely the next word of a sentence."""
_USER = re.compile(r"(\w://)[^/\s@\"'?#]+@")


def redacted(text: str) -> str:
    """Return ``text`` without what would let its reader in.

    Hidden are the values of signatures, tokens and secrets, as parameters of an address, as fields of JSON or
    of a printed dict, as headers, and users in addresses; names stay, so that one sees what was there. Doing
    it twice changes nothing more.
    """
    text = _PARAMETER.sub(rf"\1\2{HIDDEN}", text)
    text = _FIELD.sub(rf"\1\2\3{HIDDEN}\2\3", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _USER.sub(rf"\1{HIDDEN}@", text)


@contextmanager
def redacting_logs() -> Iterator[None]:
    """Redact every log record until the block ends, whoever writes it.

    A filter of the root *logger* would miss what other loggers hand up, so it is put on the handlers of every
    logger there is, and on the loggers of the libraries that log addresses: handlers that they get later are
    served, too.
    """
    redaction = _Redaction()
    filtered = _filterers()
    for each in filtered:
        each.addFilter(redaction)
    try:
        yield
    finally:
        for each in filtered:
            each.removeFilter(redaction)


def _filterers() -> list[logging.Filterer]:
    """Return the handlers of all loggers, and the loggers of ``FAMILIES``."""
    known = [
        each for each in list(logging.root.manager.loggerDict.values()) if isinstance(each, logging.Logger)
    ]
    handlers = {handler for logger in (logging.root, *known) for handler in logger.handlers}
    families = {each for each in known if each.name.partition(".")[0] in FAMILIES}
    return [*handlers, *families, *map(logging.getLogger, FAMILIES)]


class _Redaction(logging.Filter):
    """Lets every record pass, redacted; one without secrets stays as it is."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact message, traceback and stack of ``record``."""
        self._message(record)
        if record.exc_info or record.exc_text:
            self._traceback(record)
        record.stack_info = redacted(record.stack_info) if record.stack_info else record.stack_info
        return True

    def _message(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: logging itself tells, from what is left
            record.msg, record.args = redacted(str(record.msg)), None
            return
        if (safe := redacted(message)) != message:
            record.msg, record.args = safe, None

    def _traceback(self, record: logging.LogRecord) -> None:
        text = record.exc_text
        if not text and record.exc_info:
            text = logging.Formatter().formatException(record.exc_info)
        if text and (safe := redacted(text)) != text:
            record.exc_info, record.exc_text = None, safe  # formatters that read the exception would tell it
