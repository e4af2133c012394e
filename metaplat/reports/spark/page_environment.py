"""The environment that renders the Spark pages: everything is escaped, an unknown name is an error.

Here: what every template of them is given.
Not here: what one page shows (``application_page``, ``overview_page``), layout (``templates/``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from metaplat.reports import wording
from metaplat.reports.html_page import TEMPLATES
from metaplat.reports.plain_values import plain
from metaplat.reports.spark import units
from metaplat.reports.spark.table_sorting import POLICY, SCRIPT
from metaplat.reports.spark.wording import capped

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **content: Any) -> str:
    """Return a page; text of outsiders in it may hold anything, also what UTF-8 cannot."""
    return str(plain(_environment().get_template(template).render(**content)))


@lru_cache(maxsize=1)  # compiling the templates takes much longer than filling them in
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "SCRIPT": Markup(SCRIPT),  # noqa: S704  # ours, and its digest is in the policy
        "POLICY": POLICY,
        "NOT_KNOWN": units.NOT_KNOWN,
        "capped": capped,
    }
    environment.filters |= {
        "counted": wording.counted,
        "percent": lambda share: f"{share * 100:.3f}%",
        "duration": units.duration_text,
        "seconds": units.seconds_text,
        "size": units.bytes_text,
        "figure": units.count_text,
        "times": units.times_text,
        "share": units.share_text,
        "moment": units.moment_text,
    }
    return environment
