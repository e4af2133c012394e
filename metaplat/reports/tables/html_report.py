"""The report of the table monitor as one self-contained page: no request leaves it, no script runs in it.

Here: what the template is given, and the safe environment that renders it.
Not here: layout and colours (``templates/``), shades of the maps (``heat_views``), lines (``trends``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.model.verdict import Outcome
from metaplat.reports import wording
from metaplat.reports.html_page import TEMPLATES, columns_of, shown_value
from metaplat.reports.plain_values import plain
from metaplat.reports.sparklines import HEIGHT, WIDTH
from metaplat.reports.tables.bucket_words import bucket_list, size_text
from metaplat.reports.tables.heat_map import heat_cells
from metaplat.reports.tables.heat_views import heat_map
from metaplat.reports.tables.parameters import parameters
from metaplat.reports.tables.report_document import table_row
from metaplat.reports.tables.trends import trend_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from jinja2 import Environment

    from metaplat.model.table import SourceTable
    from metaplat.reports.tables.heat_views import HeatMap
    from metaplat.reports.tables.report_document import MonitorResult, TableResult
    from metaplat.reports.tables.trends import Trend

STATE_ORDER = ("failed", "warning", "not evaluated", "passed")
COLUMN_NAMES = {
    "key_nulls": "null keys",
    "duplicate_rows": "duplicate rows",
    "misplaced_keys": "misplaced keys",
}


@dataclass(frozen=True)
class RuleView:
    """One rule's verdict about a table; ``where`` names the failing buckets, empty where none does."""

    name: str
    state: str
    sentence: str
    where: str
    samples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class TableView:
    """One table as the page draws it; ``row`` is its row in the JSON report. Unexamined, it has no map."""

    anchor: str
    row: Mapping[str, Any]
    result: TableResult
    source: str
    rules: Sequence[RuleView]
    heat: HeatMap | None
    trends: Sequence[Trend]

    @property
    def state(self) -> str:
        """State of the table."""
        return self.result.state

    @property
    def failing(self) -> list[RuleView]:
        """Rules that fail, the worst first."""
        order = self.result.failing
        return sorted((rule for rule in self.rules if rule.name in order), key=lambda r: order.index(r.name))


def as_html(result: MonitorResult) -> str:
    """Render the report as one HTML page that needs neither network nor script."""
    ordered = sorted(result.tables, key=lambda table: STATE_ORDER.index(table.state))
    views = [_view(table, f"table-{place}") for place, table in enumerate(ordered, 1)]
    template = _environment(result.generated_at).get_template("table_report.html")
    page = template.render(
        result=result,
        views=views,
        headline=headline(result),
        parameters=parameters(result.settings),
        now=result.generated_at,
    )
    return str(plain(page))  # names of outsiders may hold what UTF-8 cannot


def headline(result: MonitorResult) -> str:
    """Say of all tables what is wrong, in one line."""
    tables, missed = len(result.tables), len(result.not_evaluated)
    if not tables:
        return "No table was found"
    failing = sum(table.state in ("failed", "warning") for table in result.tables)
    if failing and tables == 1:
        return f"{result.tables[0].table.name} needs a look"
    if failing:
        said = (
            f"{failing:,} of {wording.counted(tables, 'table')} {'need' if failing > 1 else 'needs'} a look"
        )
    else:
        said = "Nothing fails" if missed < tables else "Nothing could be examined"
    return f"{said}; {missed:,} not evaluated" if missed and missed < tables else said


def _view(table: TableResult, anchor: str) -> TableView:
    facts, failing = table.facts, table.failing_buckets()
    cells = heat_cells(facts.profile.frame, table.bucket_verdicts, table.severities) if facts else []
    row = table_row(table)
    return TableView(
        anchor=anchor,
        row=row,
        result=table,
        source=_source_name(table.table.source),
        rules=[_rule(table, name, failing.get(name, ())) for name in table.verdicts],
        heat=heat_map(cells, table.checked_at) if cells else None,
        trends=trend_lines(facts.history, facts.profile.frame) if facts else (),
    )


def _rule(table: TableResult, name: str, failing: Sequence[int]) -> RuleView:
    verdict = table.verdicts[name]
    return RuleView(
        name=name,
        state=wording.state_word(verdict.outcome, table.severity_of(name)),
        sentence=verdict.sentence,
        where=f"Bucket{'s' if len(failing) > 1 else ''} {bucket_list(failing)}" if failing else "",
        samples=[plain(sample) for sample in verdict.samples] if verdict.outcome is Outcome.FAILED else (),
    )


def _source_name(source: SourceTable | None) -> str:
    if source is None:
        return ""
    return f"{source.database}.{source.name}" if source.database else source.name


def _environment(now: datetime) -> Environment:
    """Make the template environment: everything is escaped, an unknown name is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "columns_of": columns_of,
        "shown_value": shown_value,
        "box": {"width": WIDTH, "height": HEIGHT},
        "COLUMN_NAMES": COLUMN_NAMES,
    }
    environment.filters |= {
        "counted": wording.counted,
        "minute": wording.minute_text,
        "age": lambda since: wording.age_text(since, now),
        "figure": figure_text,
        "size": lambda size: "unknown" if size is None else size_text(size),
        "buckets": bucket_list,
        "css": lambda state: state.replace(" ", "-"),
    }
    return environment


def figure_text(value: float | None) -> str:
    """Write a figure; unknown is said in words, never as 0."""
    return "unknown" if value is None else wording.number_text(value)
