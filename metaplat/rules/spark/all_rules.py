"""The rules of the Spark domains, in the order they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaplat.rules.completeness import completeness
from metaplat.rules.spark.event_loss import event_loss
from metaplat.rules.spark.executors_known import executors_known
from metaplat.rules.spark.limits import APPLICATION_LIMITS, EXECUTOR_LIMITS, STAGE_LIMITS
from metaplat.rules.spark.ranges import ranges
from metaplat.rules.spark.regression import regression

if TYPE_CHECKING:
    from metaplat.model.rule import Rule

APPLICATION_RULES: tuple[Rule, ...] = (
    completeness("end_time", max_missing=0, where={"status": ("COMPLETED", "FAILED")}),
    executors_known("executor_cores"),
    executors_known("num_executors"),
    ranges(APPLICATION_LIMITS),
    event_loss(),
    regression(),
)
STAGE_RULES: tuple[Rule, ...] = (ranges(STAGE_LIMITS),)
EXECUTOR_RULES: tuple[Rule, ...] = (ranges(EXECUTOR_LIMITS),)
