"""The page of one attempt of a Spark application: what could be better, when what ran, and all its stages.

Here: what the template is given.
Not here: layout and colours (``templates/``), places of bars (``timeline``), cells (``tables``), words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaplat.reports.spark import wording
from metaplat.reports.spark.attempt_reading import read_attempt
from metaplat.reports.spark.page_environment import render
from metaplat.reports.spark.tables import executor_table, stage_table
from metaplat.reports.spark.timeline import Lanes, build_timeline, stage_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metaplat.collectors.spark.attempt import Finding
    from metaplat.reports.spark.timeline import Alive, Timeline

LABELLED_LANES = 24
"""With more lanes than these, bars are too slim for a text."""
LABEL_SHARE = 0.04
"""Bars of a smaller share of the whole time carry no text."""
STATES = {"COMPLETED": "passed", "FAILED": "failed", "KILLED": "warning"}
SEVERITY_STATES = {"high": "failed", "medium": "warning"}
WIDTH = 1000


@dataclass(frozen=True)
class FindingView:
    """One finding as the page draws it; ``anchor`` is where its stage is, empty where it has none there."""

    kind: str
    severity: str
    state: str
    evidence: str
    advice: str
    stage: str
    anchor: str


@dataclass(frozen=True)
class LanesView:
    """Bars of one kind as the page draws them: heights in pixels."""

    name: str
    lanes: Lanes
    pitch: int
    height: int
    labelled: bool
    note: str


def application_page(record: Mapping[str, Any]) -> str:
    """Render one attempt as an HTML page that needs no network; its one script sorts tables.

    Parameters
    ----------
    record : mapping
        As ``ApplicationAttempt.record`` writes it, with its stages and executors.

    Returns
    -------
    str
        The page; the same record always gives the same one.
    """
    attempt = read_attempt(record)
    stages, timeline = stage_table(attempt), build_timeline(attempt)
    anchors = {row.anchor for row in stages.rows}
    return render(
        "spark_application.html",
        attempt=attempt,
        title=wording.title(attempt),
        state=STATES.get(attempt.status, "not-evaluated"),
        duration=wording.duration_sentence(attempt),
        summary=wording.findings_summary(attempt),
        findings=[_finding(each, anchors) for each in wording.ordered_findings(attempt)],
        figures=wording.figures(attempt),
        facts=wording.facts(attempt),
        flags=[(flag, wording.flag_meaning(flag)) for flag in attempt.data_quality],
        timeline=timeline,
        lanes=_lanes(timeline),
        anchors=anchors,
        LABEL_SHARE=LABEL_SHARE,
        alive=alive_path(timeline.alive) if timeline and timeline.alive else "",
        stages=stages,
        executors=executor_table(attempt),
        environment=sorted(attempt.environment.items()),
        tags=sorted(attempt.tags.items()),
        WIDTH=WIDTH,
    )


def _finding(finding: Finding, anchors: set[str]) -> FindingView:
    stage, anchor = "", ""
    if finding.stage_id is not None:
        stage = stage_label(finding.stage_id, finding.stage_attempt_id)
        anchor = f"stage-{finding.stage_id}-{finding.stage_attempt_id or 0}"
    return FindingView(
        kind=finding.kind.replace("_", " "),
        severity=finding.severity,
        state=SEVERITY_STATES.get(finding.severity, "low"),
        evidence=finding.evidence,
        advice=finding.advice,
        stage=stage,
        anchor=anchor if anchor in anchors else "",
    )


def _lanes(timeline: Timeline | None) -> Sequence[LanesView]:
    if timeline is None:
        return ()
    kinds = (("jobs", timeline.jobs), ("stages", timeline.stages), ("executors", timeline.executors))
    return [_lanes_view(name, lanes) for name, lanes in kinds if lanes.bars]


def _lanes_view(name: str, lanes: Lanes) -> LanesView:
    labelled = lanes.count <= LABELLED_LANES
    pitch = 20 if labelled else 8 if lanes.count <= 2 * LABELLED_LANES else 4
    note = wording.capped(len(lanes.bars), lanes.total, name.removesuffix("s"))
    return LanesView(name, lanes, pitch, lanes.count * pitch, labelled, note)


def alive_path(alive: Alive) -> str:
    """Draw the executors alive as a step line in a box ``WIDTH`` wide and ``alive.most`` high."""
    parts = [f"M0 {alive.most}"]
    for share, count in alive.points:
        parts.append(f"H{share * WIDTH:.1f}V{alive.most - count}")
    return "".join(parts)
