"""The asset-check report as one self-contained page: no request leaves it, no script runs in it.

Here: what the template is given, and the safe environment that renders it.
Not here: layout and colours (``templates/``), places of cells (``strips``), words (``wording``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from metaplat.model.verdict import MAX_SAMPLES, Outcome, Severity
from metaplat.reports import wording
from metaplat.reports.sparklines import BAR_HEIGHT, HEIGHT, WIDTH, Bars, Sparkline, bars, sparkline
from metaplat.reports.strips import Layout, lay_out, place_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

    from metaplat.reports.check_report import CheckReport, DomainReport
    from metaplat.reports.rule_report import Cell, RuleReport

TEMPLATES = Path(__file__).parent / "templates"
LISTED_PARTITIONS = 12
"""Failing partitions listed one by one; the counts are exact."""
LONGEST_TEXT = 300
"""Characters of one value in a table of samples."""
BREAKABLE = 40
"""Characters from which on a value may be broken into lines."""

STATE_ORDER = ("failed", "warning", "not evaluated", "passed")


@dataclass(frozen=True)
class DomainView:
    """One domain as the page draws it."""

    report: DomainReport
    state: str
    layout: Layout
    failing: Sequence[RuleReport]
    rows: Bars | None
    quarantined: Bars | None
    moving: Sequence[Sparkline]
    constant: Sequence[Sparkline]


def as_html(report: CheckReport) -> str:
    """Render the report as one HTML page that needs neither network nor script."""
    views = sorted((_view(domain) for domain in report.domains), key=lambda v: STATE_ORDER.index(v.state))
    template = _environment(report).get_template("check_report.html")
    return template.render(report=report, views=views, headline=wording.headline(report))


def _view(domain: DomainReport) -> DomainView:
    keys = [mark.key for mark in domain.partitions]
    drawn = _lines(domain, keys)
    layout = lay_out(domain.partitions)
    lined_up = keys[layout.hidden :]
    return DomainView(
        report=domain,
        state=wording.state_word(domain.outcome, domain.severity),
        layout=layout,
        failing=wording.failing_rules(domain),
        rows=bars(domain.rows, lined_up),
        quarantined=bars(domain.quarantine.partitions, lined_up),
        moving=[line for line in drawn if line.low != line.high],
        constant=[line for line in drawn if line.low == line.high],
    )


def _lines(domain: DomainReport, keys: Sequence[str]) -> list[Sparkline]:
    """Draw the main numbers of all rules; what two rules count alike (rows) is drawn once."""
    lines: dict[tuple[str, str], Sparkline] = {}
    for rule in domain.rules:
        for name, values in rule.trends.items():
            if len(values) > 1:
                line = sparkline(rule.rule, name, values, keys)
                lines.setdefault((name, line.path), line)
    return list(lines.values())


def _environment(report: CheckReport) -> Environment:
    """Make the template environment: everything is escaped, an unknown name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    now = report.generated_at
    environment.globals |= {
        "place_cells": place_cells,
        "cell_class": cell_class,
        "cell_title": cell_title,
        "summary_line": lambda domain: wording.summary_line(domain, now),
        "columns_of": columns_of,
        "shown_value": shown_value,
        "BREAKABLE": BREAKABLE,
        "box": {"width": WIDTH, "height": HEIGHT, "bars": BAR_HEIGHT},
        "LISTED_PARTITIONS": LISTED_PARTITIONS,
        "MAX_SAMPLES": MAX_SAMPLES,
    }
    environment.filters |= {
        "counted": wording.counted,
        "number": wording.number_text,
        "minute": wording.minute_text,
        "age": lambda since: wording.age_text(since, now),
        "since": lambda since: wording.since_text(since, now),
        "where": wording.where_text,
        "rule_state": wording.rule_state,
        "state": wording.state_word,
    }
    return environment


def cell_class(cell: Cell) -> str:
    """Return the letter by which the style sheet knows a cell."""
    if cell.record is None:
        return "x" if cell.mark.present else "m"
    if cell.record.outcome is Outcome.FAILED:
        return "w" if cell.record.severity is not Severity.ERROR else "f"
    return "p" if cell.record.outcome is Outcome.PASSED else "n"


def cell_title(cell: Cell) -> str:
    """Say what a cell shows: partition, state and, where it fails, the numbers."""
    if cell.record is None:
        return f"{cell.mark.key}: {'no verdict' if cell.mark.present else 'missing'}"
    said = f"{cell.mark.key}: {wording.state_word(cell.record.outcome, cell.record.severity)}"
    if cell.record.outcome is not Outcome.FAILED:
        return said
    return f"{said} since {wording.minute_text(cell.record.since)} UTC. {numbers_line(cell.record.numbers)}"


def numbers_line(numbers: Mapping[str, int | float]) -> str:
    """Write numbers in one line."""
    return ", ".join(f"{name} {wording.number_text(number)}" for name, number in numbers.items())


def columns_of(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of a table of samples, in the order in which they first occur."""
    return list(dict.fromkeys(name for sample in samples for name in sample))


def shown_value(value: object) -> str:
    """Write one value of a sample; a long one is cut."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text):,} characters)"
