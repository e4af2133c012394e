"""How observations are printed: documents for machines, tables and pages of facts for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from metaplat.cli.output import note, print_table
from metaplat.cli.text_page import print_lines, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = (
    "dataset_id",
    "observation_timestamp",
    "mission_id",
    "instrument_type",
    "target_object",
    "data_quality_score",
    "file_path",
)
NESTED = ("mission_specific", "detail", "relationship_metadata")
NAME_WIDTH = 24


def as_document(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its JSON columns as objects."""
    return {
        name: json.loads(value) if name in NESTED and value is not None else value
        for name, value in row.items()
    }


def one_line(text: str) -> str:
    """Return text with what a terminal would obey, line breaks too, escaped: names of files hold anything."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Print a table, ids shortened to what still names them."""
    shown = [name for name in columns or COLUMNS if not rows or name in rows[0]]
    cells = [[_cell(name, row[name]) for name in shown] for row in rows]
    print_table(shown, cells, width=None)


def print_observation(
    row: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]
) -> None:
    """Print one observation as a list of facts; unknown ones are left out."""
    facts = {name: value for name, value in row.items() if value is not None and name not in NESTED}
    print_lines(
        [[(f"{name:<{NAME_WIDTH}}", "dim"), (printable(str(value)), "")] for name, value in facts.items()]
    )
    specific = as_document(row)["mission_specific"] or {}
    print_lines(
        [
            [(f"  {printable(name):<{NAME_WIDTH}}", "dim"), (printable(str(value)), "")]
            for name, value in specific.items()
        ]
    )
    if edges:
        columns = ("relationship_type", "parent_dataset_id", "child_dataset_id", "run_id", "recorded_at")
        print_table(columns, [[edge[name] for name in columns] for edge in edges])
    note(f"{len(revisions)} revision{'s' * (len(revisions) != 1)}, {len(edges)} relationships")


def _cell(name: str, value: Any) -> Any:
    return value[:12] if name == "dataset_id" else value
