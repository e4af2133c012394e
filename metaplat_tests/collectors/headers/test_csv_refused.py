"""Text that is no table: refused, and the reason says what it looks like."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import astropy
import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metaplat.collectors.headers.csv_header import read_csv
from metaplat.collectors.headers.header import FIRST_BLOCK, HeaderError
from metaplat.collectors.headers.local_source import open_local
from metaplat_tests.collectors.headers.byte_sources import refusal_of

PROGRAMS = sorted(
    path
    for package in (astropy, h5py)
    for path in Path(str(package.__file__)).parent.glob("*.py")
    if path.stat().st_size
)

OTHERS = {
    "prose": "Dear reader, this is a note.\nIt has several lines, each with a comma,\nand no table in it.\n",
    "one sentence": "Hello, world\n",
    "two sentences": "Dear Sir, Madam\nHow are you, friend\n",
    "read me": "Project\n=======\n\nInstall it, then run it.\n",
    "log": "2026-01-01 12:00:00,123 INFO started\n2026-01-01 12:00:01,456 WARNING slow\n",
    "markdown": "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "script": "#!/bin/sh\n# name: x\necho a,b\n",
    "settings": "[section]\nkey = 1, 2\n",
    "yaml": "# kind: settings\nkey: value\nother: value\n",
    "c": "int a;\nint b;\nreturn a;\n",
    "sql": "INSERT INTO t (a, b) VALUES (1, 2);\nINSERT INTO t (a, b) VALUES (3, 4);\n",
    "python": "import os, sys\nimport re, json\n",
    "requirements": "# pinned: yes\nnumpy\nscipy\n",
    "only comments": "# mission: HELIOS-9\n# instrument: COUNTER\n",
    "columns of blanks": "time flux\n1 2\n3 4\n",
}


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", OTHERS)
def test_other_text_is_refused_with_a_reason_in_one_line(tmp_path: Path, kind: str) -> None:
    error = refusal_of(written(tmp_path / "file.csv", OTHERS[kind]))
    assert error.code == "unknown_format"
    assert "\n" not in error.text
    assert error.text


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_programs_are_refused(path: Path) -> None:
    assert refusal_of(path).code == "unknown_format"


def test_json_and_markup_are_refused_also_behind_header_lines(tmp_path: Path) -> None:
    for content in (json.dumps({"a": [1, 2]}), "<html><body>a,b</body></html>"):
        error = refusal_of(written(tmp_path / "file.csv", f"# error: yes\n{content}\n"))
        assert "looks like" in error.text


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    error = refusal_of(written(tmp_path / "file.csv", "a,b" * FIRST_BLOCK))
    assert error.text == f"not a table: no line ends in the first {FIRST_BLOCK} bytes"


def test_bytes_that_no_text_has_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "file.csv", b"time,flux\n1,\x00\n")
    with open_local(str(path)) as source, pytest.raises(HeaderError, match="it has the byte 0 in it"):
        read_csv(source)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_a_header_or_a_reason(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "file", content)
        with open_local(str(path)) as source:
            try:
                outcome = read_csv(source).file_format
            except HeaderError as error:
                outcome = error.code
    assert outcome in ("csv", "unknown_format")
