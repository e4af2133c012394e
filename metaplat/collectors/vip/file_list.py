"""The list of a job's files, as the vendor answers it.

Here: one signed file for each entry, whatever is wrong with it: nothing promised vanishes.
Not here: asking for the list (``client``), which of them are safe to fetch (``safe_files``).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from metaplat.collectors.vip.json_answers import value_of
from metaplat.collectors.vip.signed_file import SignedFile
from metaplat.model.errors import InvalidInputError
from metaplat.model.extract import PromisedFile

if TYPE_CHECKING:
    from metaplat.settings.vip import VipSettings

LARGEST = 2**63 - 1
"""Bytes; what is larger is no size, and fits in no column."""
_NUMBER = re.compile(r"\s*([0-9]{1,19})(?:\.0{0,9})?\s*", re.ASCII)
_CHECKSUM = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}", re.ASCII)


def listed_files(document: object, settings: VipSettings) -> list[SignedFile]:
    """Return the files of a list.

    Parameters
    ----------
    document : object
        The answer, parsed; None means that there is no list yet.
    settings : VipSettings
        Names of the fields.

    Returns
    -------
    list of SignedFile
        One for each entry, in its order. An entry without a key or an address, or with a size that is none,
        has an empty address and says so under ``problem``: it is promised and cannot be fetched.

    Raises
    ------
    InvalidInputError
        It is no list, or no entry has a key: it is a list of something else. It starts with a verb.
    """
    if document is None:
        return []
    if not isinstance(document, list):
        raise InvalidInputError("is no list of files")
    keys = [value_of(entry, settings.key_field) for entry in document]
    found, keyless = [], 0
    for entry, key in zip(document, keys, strict=True):
        if isinstance(key, str) and key:
            found.append(_file(entry, key, settings))
        else:
            keyless += 1
            found.append(_keyless(keyless, settings))
    if keyless and keyless == len(found):
        raise InvalidInputError(f"holds entries without {settings.key_field!r} only")
    return found


def _keyless(number: int, settings: VipSettings) -> SignedFile:
    """Return an entry without a key: numbered, so that each counts, in whatever order the list comes."""
    promised = PromisedFile(f"(entry without a key, number {number})", None)
    return SignedFile(promised, SecretStr(""), f"the list gives no key ({settings.key_field}) for it")


def _file(entry: object, key: str, settings: VipSettings) -> SignedFile:
    size, checksum = value_of(entry, settings.size_field), value_of(entry, settings.checksum_field)
    url = value_of(entry, settings.url_field)
    address = url.strip() if isinstance(url, str) else ""
    problem = None if address else f"the list gives no address ({settings.url_field}) for it"
    promised_size = None
    try:
        promised_size = _size(size)
    except InvalidInputError:
        address, problem = "", f"the list gives a size ({settings.size_field}) that is none"
    return SignedFile(PromisedFile(key, promised_size, _checksum(checksum)), SecretStr(address), problem)


def _size(value: object) -> int | None:
    """Return a size in bytes, None where none is told: a number, or the text of one."""
    if value is None:
        return None
    number = -1
    if isinstance(value, str) and (found := _NUMBER.fullmatch(value)):
        number = int(found[1])
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = int(value) if math.isfinite(value) and value == int(value) else -1
    if not 0 <= number <= LARGEST:
        raise InvalidInputError("is no size")
    return number


def _checksum(value: object) -> str | None:
    """Return an MD5 or SHA-256 in hexadecimal; another form says nothing that could be compared."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if _CHECKSUM.fullmatch(text) else None
