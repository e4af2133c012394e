"""Tables as text: header lines, column names, delimiters, and real tables of installed packages."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import astropy
import numpy as np
import pytest
import sunpy
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.header import FIRST_BLOCK
from metaplat_tests.collectors.headers.byte_sources import read_local

PACKAGES = [Path(str(package.__file__)).parent for package in (astropy, np, sunpy)]
REAL = sorted(path for package in PACKAGES for path in package.rglob("*.csv"))

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
CELLS = st.floats(allow_nan=False, allow_infinity=False).map(str)
KEYS = st.from_regex(r"[A-Za-z][A-Za-z_-]{0,12}", fullmatch=True).filter(
    lambda key: key not in ("columns", "delimiter")
)
TEXTS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 :=./-]{0,20}[A-Za-z0-9]", fullmatch=True)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_packages_ship_tables() -> None:
    assert len(REAL) >= 50


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_every_real_table_is_read_and_its_names_are_those_of_its_first_row(path: Path) -> None:
    header = read_local(path)
    assert header.file_format == "csv"
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    first = [cell.strip() for cell in next(csv.reader(lines))]
    if header.values["columns"] is None:
        assert "no_column_names" in header.flags
        assert any(cell[:1].isdigit() for cell in first)
    else:
        assert header.values["columns"] == first
        assert not any(cell[:1].isdigit() for cell in first)


def test_lines_with_a_colon_and_with_an_equals_sign_are_keywords(tmp_path: Path) -> None:
    path = written(
        tmp_path / "table",
        "# mission: HELIOS-9\n# date-obs = 2026-03-01T12:00:00\n#instrument=COUNTER\n# a note\n# target:\n"
        "#\n\ntime,counts\n1,2\n",
    )
    assert read_local(path).values == {
        "mission": "HELIOS-9",
        "date-obs": "2026-03-01T12:00:00",
        "instrument": "COUNTER",
        "target": None,
        "columns": ["time", "counts"],
        "delimiter": ",",
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_the_delimiter_is_found_and_a_decimal_comma_is_none(tmp_path: Path, delimiter: str) -> None:
    number = "1,5" if delimiter != "," else "1.5"
    rows = [["time", "flux", "target"], [number, number, "M31"], [number, number, "M33"]]
    path = written(tmp_path / "table", "\n".join(delimiter.join(row) for row in rows))
    assert read_local(path).values == {"columns": ["time", "flux", "target"], "delimiter": delimiter}


@settings(max_examples=100, deadline=None)
@given(
    keys=st.dictionaries(KEYS, TEXTS, max_size=4),
    names=st.lists(NAMES, min_size=2, max_size=6, unique=True),
    rows=st.integers(0, 20),
    delimiter=st.sampled_from(",;\t|"),
    separator=st.sampled_from([": ", ":", " = ", "="]),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    data=st.data(),
)
def test_a_table_as_python_writes_it_gives_its_keywords_and_names(
    keys: dict[str, str],
    names: list[str],
    rows: int,
    delimiter: str,
    separator: str,
    newline: str,
    data: st.DataObject,
) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=newline)
    writer.writerow(names)
    for _ in range(rows):
        writer.writerow([data.draw(CELLS) for _ in names])
    comments = "".join(f"# {key}{separator}{text}{newline}" for key, text in keys.items())
    with tempfile.TemporaryDirectory() as folder:
        header = read_local(written(Path(folder) / "table", comments + stream.getvalue()))
    assert header.values == {**keys, "columns": names, "delimiter": delimiter}
    assert header.flags == []


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    header = read_local(written(tmp_path / "table", b"\xef\xbb\xbftime,flux\n1,2\n"))
    assert header.values["columns"] == ["time", "flux"]
    assert header.flags == ["bom"]


def test_text_that_is_not_utf8_is_latin1_with_a_flag(tmp_path: Path) -> None:
    content = "# ort: Köln\nzeit,größe\n1,2\n".encode("latin-1")
    header = read_local(written(tmp_path / "table", content))
    assert header.values == {"ort": "Köln", "columns": ["zeit", "größe"], "delimiter": ","}
    assert header.flags == ["latin1"]


def test_a_quoted_newline_and_a_quoted_delimiter_are_part_of_a_cell(tmp_path: Path) -> None:
    path = written(tmp_path / "table", 'time,"the note"\n1,"two\nlines, and more"\n2,"one"\n')
    assert read_local(path).values["columns"] == ["time", "the note"]


def test_names_alone_are_a_table_without_rows(tmp_path: Path) -> None:
    assert read_local(written(tmp_path / "table", "time,flux\n")).values["columns"] == ["time", "flux"]


def test_one_column_is_a_table_where_header_lines_stand_before_it(tmp_path: Path) -> None:
    header = read_local(written(tmp_path / "table", "# mission: HELIOS-9\nflux\n1.5\n2.5\n"))
    assert header.values == {"mission": "HELIOS-9", "columns": ["flux"], "delimiter": ","}


def test_names_in_the_last_header_line_are_those_of_a_table_of_numbers(tmp_path: Path) -> None:
    header = read_local(written(tmp_path / "table", "# mission: HELIOS-9\n# time, flux\n1,2\n3,4\n"))
    assert header.values["columns"] == ["time", "flux"]
    assert header.flags == []


def test_a_table_longer_than_the_first_block_is_known_by_that_block(tmp_path: Path) -> None:
    row = "2026-03-01T00:00:00,1.5,Köln\n"
    path = written(tmp_path / "table", "time,flux,place\n" + row * (2 * FIRST_BLOCK // len(row)))
    header = read_local(path)
    assert header.values["columns"] == ["time", "flux", "place"]
    assert header.flags == []


def test_a_row_of_another_width_leaves_a_flag(tmp_path: Path) -> None:
    header = read_local(written(tmp_path / "table", "time,flux\n1,2\n" * 1 + "3,4\n" * 20 + "5,6,7\n"))
    assert header.values["columns"] == ["time", "flux"]
    assert header.flags == ["ragged"]


def test_markup_in_a_value_stays_text(tmp_path: Path) -> None:
    header = read_local(written(tmp_path / "table", "# target: <script>alert(1)</script>\ntime,flux\n1,2\n"))
    assert header.values["target"] == "<script>alert(1)</script>"
