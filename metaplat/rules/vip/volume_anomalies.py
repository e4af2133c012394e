"""No hour has an unusual volume, against the hours before it.

Here: the anomalies that the history found. Not here: finding them (``volume_band``), missing hours
(``missing_hours``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.model.rule import PartitionEvidence, Rule
from metaplat.model.verdict import MAX_SAMPLES, Severity, Verdict
from metaplat.rules.samples import shown_rows, shown_value
from metaplat.rules.vip.closed_hours import CONFIG, HOUR, closed_hours
from metaplat.rules.vip.recent import recent
from metaplat.rules.vip.volume_band import HIGH, HOUR_OF_WEEK, LOW
from metaplat.rules.wording import agreeing, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

NAME = "volume_anomalies"
VOLUME = "bytes_data"
_SHOWN = (VOLUME, "band_lo", "band_hi", "score", "anomaly", "baseline")


def volume_anomalies() -> Rule:
    """Return the rule that the volume of every hour is within its band; a warning, excused hours apart."""
    doc = "The bytes of every closed hour that is not excused lie within the band of the hours before it."
    return Rule(NAME, doc, _judge, recent(NAME), severity=Severity.WARN)


def _judge(evidence: PartitionEvidence) -> Verdict:
    import polars as pl

    hours = closed_hours(evidence, _SHOWN, NAME)
    judged = hours.rows.filter(pl.col("anomaly").is_not_null())
    unusual = judged.filter(pl.col("anomaly").is_in([LOW, HIGH]))
    far = unusual.sort(pl.col("score").abs(), descending=True, nulls_last=True, maintain_order=True)
    numbers: dict[str, int | float] = {
        "judged": judged.height,
        "anomalies": unusual.height,
        "low": int((unusual["anomaly"] == LOW).sum()),
        "high": int((unusual["anomaly"] == HIGH).sum()),
        "warming_up": int((judged["baseline"] != HOUR_OF_WEEK).sum()),
        "not_judged": hours.rows.height - judged.height,
        "excused": hours.excused,
    }
    if judged.is_empty():
        return hours.nothing(numbers, "No hour can be judged: missing, or too few hours before it.")
    return Verdict.judged(
        passed=unusual.is_empty(),
        sentence=_sentence(numbers, far),
        numbers=numbers | _furthest(judged),
        samples=shown_rows(
            far.select(CONFIG, HOUR, *_SHOWN).head(MAX_SAMPLES).to_dicts(), evidence.domain.columns
        ),
    )


def _furthest(judged: pl.DataFrame) -> dict[str, int | float]:
    """Return the score that is furthest from 0."""
    scores = judged["score"].drop_nulls().to_list()
    return {"score": max(scores, key=abs)} if scores else {}


def _sentence(numbers: Mapping[str, int | float], unusual: pl.DataFrame) -> str:
    judged = counted(int(numbers["judged"]), "judged hour")
    warming = int(numbers["warming_up"])
    note = ""
    if warming:
        note = (
            f" Warming up: {counted(warming, 'hour')} {agreeing(warming, 'was', 'were')} compared without "
            "the same hour of earlier weeks, and only far outliers show."
        )
    if unusual.is_empty():
        return f"{judged}, all of a usual volume.{note}"
    first = unusual.row(0, named=True)
    advice = (
        "Compare the files of the hour with those of the hour before, table by table; where the vendor "
        "delivered all there was, do nothing."
        if first["anomaly"] == LOW
        else "Look for tables delivered twice or a longer lookback; where the volume is right, it will "
        "become usual."
    )
    return (
        f"{unusual.height:,} of {judged} {agreeing(unusual.height, 'is', 'are')} unusual, most of all "
        f"{first[HOUR]:%Y-%m-%d %H:%M} UTC ({shown_value(first[CONFIG])}): {first[VOLUME]:,} bytes, "
        f"{first['band_lo']:,.0f} to {first['band_hi']:,.0f} usual by {first['baseline']} (score "
        f"{first['score']:+.1f}). {advice}{note}"
    )
