"""The line of a failure reason that tells most."""

from __future__ import annotations

import pytest

from metaplat.collectors.spark.reasons import LONGEST_REASON, reason_line

PYTHON = """Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times: \
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 830, in main
    process()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "etl.py", line 3, in f
    raise RuntimeError("no rows")
RuntimeError: no rows

\tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:572)
Driver stacktrace:"""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (None, None),
        ("", ""),
        ("Lost executor 1\n\tat somewhere", "Lost executor 1"),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        ("Traceback (most recent call last):\n  File x\nValueError: 3\n", "ValueError: 3"),
        (
            PYTHON,
            "Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times: "
            "org.apache.spark.api.python.PythonException: RuntimeError: no rows",
        ),
    ],
)
def test_the_error_of_a_python_traceback_is_told(text: str | None, line: str | None) -> None:
    assert reason_line(text) == line


def test_a_reason_is_cut() -> None:
    assert len(reason_line("x" * 5000) or "") == LONGEST_REASON
