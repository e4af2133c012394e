"""Secrets stay out of the properties and tags of an application.

Here: names whose value is secret, values that carry one, and the texts that are shown instead.
Not here: personal data in general, which ingest treats (``ingest.redact``).

Spark itself redacts what its ``spark.redaction.regex`` matches, as ``*********(redacted)``. A value in which
a secret is found is replaced as a whole: where the secret ends inside it is a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REDACTED = "[redacted]"
BY_SPARK = "(redacted)"
NAMES = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|token|credential|signature|connection[._-]?string"
    r"|(?:api|access|account|private|secret|encryption|shared|master|license)[._-]?(?:access[._-]?)?key"
    r"|(?<![a-z])(?:sas|jaas|authorization|auth[._-]?key|basic[._-]?auth|auth[._-]?header)(?![a-z])"
)
SECRET_NAME = re.compile(NAMES, re.IGNORECASE)
HARMLESS_NAME = re.compile(
    r"(?:\.|_|-)(?:provider|providers|type|class|enabled|interval|file|path)\Z", re.IGNORECASE
)
"""Ends of names that say how a secret is found, not what it is."""
PLAIN_VALUE = re.compile(r"(?:true|false|[\w.$]+\.[\w$]*Provider\w*)(?:,[\w.$]+)*", re.IGNORECASE)
"""Switches, and classes that provide credentials."""
SECRET_VALUE = re.compile(
    rf"""://[^\s/?\#]*@                                               # a login in an address
      | \S\?[^\s?"'<>]*=                                              # a query: it may sign the address
      | (?:^|[?&;,\s])sig=\S                                          # a signature alone
      | \b(?:AKIA|ASIA)[A-Z0-9]{{16}}\b
      | \b(?:Bearer|Basic)\s+[\w.~+/=-]{{8,}}
      | -----BEGIN\s
      | (?:{NAMES})[\w.-]{{0,60}}\\?["']?\s*[=:]\s*\\?["']?[^\s"',;&]        # an option or a member
      | (?<![\w-])--?[\w.-]{{0,40}}?(?:{NAMES})\s+[^\s-]              # an option of a command
      | (?<![\w-])(?-i:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|npm_|hf_|dapi)[\w-]{{16,}}
      | (?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]+""",
    re.VERBOSE | re.IGNORECASE,
)


LOGIN = re.compile(r"://[^\s/?#]*@")
LONGEST_VALUE = 16_384
"""Characters; a class path is shorter."""


def without_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """Return named values, in the order of their names, with ``[redacted]`` in place of secret ones.

    Values beyond ``LONGEST_VALUE`` are cut: such a one is data that somebody passed as a property.
    """
    cut = {
        name: value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
        for name, value in values.items()
    }
    return {name: REDACTED if is_secret(name, value) else value for name, value in sorted(cut.items())}


def without_login(text: str | None) -> str | None:
    """Return a name without the login that an address in it carries."""
    return None if text is None else LOGIN.sub("://[redacted]@", text)


def is_secret(name: str, value: str) -> bool:
    """Whether a named value is secret: by its name, by what it carries, or since Spark redacted it."""
    if value.endswith(BY_SPARK) or SECRET_VALUE.search(value):
        return True
    named = SECRET_NAME.search(name) and not HARMLESS_NAME.search(name)
    return bool(named and value and not PLAIN_VALUE.fullmatch(value))


def shown(text: str, longest: int = 200) -> str:
    """Return a text of an outside system for a sentence: one line, cut, none of it where it has a secret."""
    line = " ".join(text.split())
    if SECRET_VALUE.search(line):
        return REDACTED
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
