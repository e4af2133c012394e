"""The rows of ``historical_job_size``: files and bytes of every hour, and the band they were expected in.

Here: which hours are a series, and which of them teach what is usual.
Not here: the formula of the band (``rules.vip.volume_band``).

The series is ``bytes_data`` of every hour of the calendar, of earlier history first. An hour that is missing
has no value, also where somebody left a note in its folder: the jobs tell of it. Excused hours teach nothing;
incomplete ones do: what is far off is flagged and teaches nothing anyway, and a configuration that always
lacks a table would never be judged.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from metaplat.model.extract import JOB_SIZE_FIELDS, hours_between
from metaplat.model.polars_schema import polars_schema
from metaplat.vip.history.job_rows import excuse

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import polars as pl

    from metaplat.rules.vip.volume_band import BandParameters
    from metaplat.settings import Settings, VipSettings

HOUR = timedelta(hours=1)
_JUDGED = ("baseline", "band_lo", "band_hi", "score", "anomaly")


def size_rows(
    counts: pl.DataFrame,
    earlier: pl.DataFrame,
    missing: Collection[datetime],
    settings: Settings,
    config_name: str,
) -> pl.DataFrame:
    """Return the frame of ``JOB_SIZE_FIELDS``.

    Parameters
    ----------
    counts : polars.DataFrame
        ``hour_counts``, or rows of ``JOB_SIZE_FIELDS``: one per hour.
    earlier : polars.DataFrame
        Rows of ``JOB_SIZE_FIELDS`` of the same configuration, of hours before.
    missing : collection of datetime
        Hours of both that are missing.
    settings : Settings
        Excused hours, and the parameters of the band.
    config_name : str
        The configuration.
    """
    import polars as pl

    plain = [field.name for field in JOB_SIZE_FIELDS if field.name not in _JUDGED]
    excused = [excuse(hour, settings) is not None for hour in counts["hour_utc"]]
    rows = counts.with_columns(
        config_name=pl.lit(config_name), excused=pl.Series(excused, dtype=pl.Boolean())
    ).select(plain)
    before = earlier.select("hour_utc", "n_files", "bytes_data")
    series = pl.concat([before, rows.select("hour_utc", "n_files", "bytes_data")])
    judged = rows.join(_bands(series, missing, settings), on="hour_utc", how="left").sort("hour_utc")
    schema = polars_schema(JOB_SIZE_FIELDS)
    return judged.select(list(schema)).cast(schema)  # type: ignore[arg-type]  # its keys are names


def _bands(series: pl.DataFrame, missing: Collection[datetime], settings: Settings) -> pl.DataFrame:
    """Judge a series of ``hour_utc``, ``n_files`` and ``bytes_data`` on a calendar without gaps."""
    import numpy as np
    import polars as pl

    from metaplat.rules.vip.volume_band import score_volumes

    if series.is_empty():
        return pl.DataFrame(
            schema={"hour_utc": pl.Datetime("us", "UTC"), **dict.fromkeys(_JUDGED, pl.Null())}
        )
    lost = set(missing)
    rows = series.sort("hour_utc").iter_rows()
    known = {hour: value for hour, files, value in rows if files and hour not in lost}
    calendar = hours_between(series["hour_utc"].min(), series["hour_utc"].max())  # type: ignore[arg-type]
    values = np.array([known.get(hour, np.nan) for hour in calendar], dtype=np.float64)
    excused = {hour for each in settings.vip.excuses for hour in known if each.holds(hour)}
    trainable = np.array([hour in known and hour not in excused for hour in calendar], dtype=np.bool_)
    first = calendar[0].weekday() * 24 + calendar[0].hour
    bands = score_volumes(values, first, trainable, band_parameters(settings.vip))
    return pl.DataFrame(
        {
            "hour_utc": pl.Series(calendar, dtype=pl.Datetime("us", "UTC")),
            "baseline": pl.Series(bands.baseline, dtype=pl.String()),
            "band_lo": bands.low, "band_hi": bands.high, "score": bands.score,
            "anomaly": pl.Series(bands.anomaly, dtype=pl.String()),
        }
    ).with_columns(pl.col("band_lo", "band_hi", "score").fill_nan(None))  # fmt: skip


def band_parameters(settings: VipSettings) -> BandParameters:
    """Return what the settings say of the band."""
    from metaplat.rules.vip.volume_band import BandParameters

    return BandParameters(
        k=settings.anomaly_k,
        level_hours=settings.level_hours,
        level_minimum=settings.level_minimum,
        season_weeks=settings.season_weeks,
        season_minimum=settings.season_minimum,
        spread_hours=settings.spread_hours,
        spread_floor=settings.spread_floor,
        warm_up_floor=settings.warm_up_floor,
        accept_after=settings.level_accept_hours,
    )
