"""The page of the ten charts: complete in itself, so that it opens from a disk and without a network.

Here: what the template is given, and what the browser lets the page do.
Not here: layout and behaviour (``templates``), data (``page_data``), figures of the strip (``summary``).
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.reports import wording
from metaplat.reports.plain_values import plain
from metaplat.reports.vip.chart_list import CHARTS
from metaplat.reports.vip.stretches import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jinja2 import Environment

    from metaplat.reports.vip.summary import Summary

TEMPLATES = Path(__file__).parent / "templates"
_STEP = 1000
_UNITS = ("kB", "MB", "GB", "TB", "PB")


def charts_page(
    config_name: str,
    summary: Summary | None,
    data: Mapping[str, Any] | None,
    library: str,
    now: datetime,
) -> str:
    """Render the page.

    Parameters
    ----------
    config_name : str
        Whose history it is.
    summary, data : Summary, mapping, or None
        ``summary.summarize`` and ``page_data.page_data``; None where the history has no hour.
    library : str
        The script that draws compiled charts (``vega.browser_script``).
    now : datetime
        When it is written, aware UTC.
    """
    from markupsafe import Markup

    script = (TEMPLATES / "vip_charts.js").read_text(encoding="utf-8")
    page = (
        _environment()
        .get_template("vip_charts.html")
        .render(
            config_name=config_name,
            summary=summary,
            charts=CHARTS,
            data=Markup(_json(data)) if data else None,  # noqa: S704  # escaped by _json
            library=Markup(library),  # noqa: S704  # not of outsiders, and its digest is in the policy
            script=Markup(script),  # noqa: S704  # ours
            policy=policy(library, script),
            now=now,
        )
    )
    return str(plain(page))


def policy(*scripts: str) -> str:
    """Return the Content-Security-Policy of a page with these scripts: nothing else runs, nothing is loaded.

    Images beside the page are for readers without JavaScript.
    """
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _json(data: Mapping[str, Any]) -> str:
    """Write JSON that can stand in an element: nothing in it ends or opens one."""
    import orjson

    text = orjson.dumps(data).decode()
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def size_text(kilobytes: float | None) -> str:
    """Write a size in SI units, as the axis does."""
    if kilobytes is None:
        return "not known"
    size, unit = float(kilobytes), 0
    while abs(size) >= _STEP - 0.5 and unit + 1 < len(_UNITS):
        size, unit = size / _STEP, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def percent_text(share: float | None) -> str:
    """Write a share; one that is nearly whole is not rounded to whole."""
    if share is None:
        return "not known"
    text = f"{share * 100:.2f}"
    return "99.99 %" if text == "100.00" and share < 1 else f"{text.rstrip('0').rstrip('.')} %"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "age_text": wording.age_text,
        "minute": wording.minute_text,
        "size": size_text,
        "percent": percent_text,
    }
    environment.globals |= {"hour": HOUR}
    return environment
