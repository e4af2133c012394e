"""The figures of a landed record of a Spark application, laid out so that others can be held against them.

Here: the layout, and telling where two of them differ.
Not here: what is expected (``server_figures``, ``raw_figures``).
"""

from __future__ import annotations

from typing import Any

import pytest

Figures = dict[tuple[Any, ...], dict[str, Any]]
"""Values by field, of ``("attempt",)``, ``("job", 0)``, ``("stage", 0, 0)``, ``("executor", "1")``."""


def record_figures(record: dict[str, Any]) -> Figures:
    """Lay out a record."""
    return {
        ("attempt",): record,
        **{("job", job["job_id"]): job for job in record["job_list"]},
        **{("stage", one["stage_id"], one["stage_attempt_id"]): one for one in record["stages"]},
        **{("executor", one["executor_id"]): one for one in record["executors"]},
    }


def differences(record: dict[str, Any], expected: Figures, *, may_lack: bool = False) -> list[str]:
    """Say where a record says other than expected; what is not expected is not looked at.

    Parameters
    ----------
    record : dict
        As it is landed.
    expected : Figures
        What it should say.
    may_lack : bool
        Whether null will do: in a part, and of the attempt where ``source_coverage`` names the field.
    """
    got = record_figures(record)
    told = []
    for part, name, value in ((part, *each) for part, values in expected.items() for each in values.items()):
        here = got[part][name] if part in got else "nothing"
        lacks = here is None and (part != ("attempt",) or name in record["source_coverage"])
        if here != _about(value) and not (may_lack and lacks):
            told.append(f"{record['app_name']}: {part} {name}: {here!r} instead of {value!r}")
    return told


def surplus(record: dict[str, Any], expected: Figures) -> list[str]:
    """Name the jobs, stages and executors of a record that are not expected."""
    return [f"{record['app_name']}: {part}" for part in record_figures(record) if part not in expected]


def _about(value: Any) -> Any:
    """Return what a value may be: a sum of fractions may differ in the last digits."""
    return pytest.approx(value) if isinstance(value, float) else value
