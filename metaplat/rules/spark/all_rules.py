"""The rules of the Spark domains, in the order they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metaplat.model.rule import Rule

APPLICATION_RULES: tuple[Rule, ...] = ()
STAGE_RULES: tuple[Rule, ...] = ()
EXECUTOR_RULES: tuple[Rule, ...] = ()
