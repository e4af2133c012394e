"""Runs of pipelines over cataloged datasets: started, followed, finished or failed, all in the audit trail.

Here: the steps of a run, each idempotent: said twice, it happened once.
Not here: whether a run may start (``preflight``), the client for pipelines (``client``).

The event of a step has an id made of the run's id, so that the index itself refuses a second one. The last
step writes outputs, relationships, status, quality and its event in one transaction.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from metaplat.catalog.graph import check_types
from metaplat.model.errors import UsageError
from metaplat.model.observation import PROCESSING_STATES
from metaplat.stores.catalog.index import Change

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from metaplat.catalog.preflight import PreflightResult
    from metaplat.model.observation import Row
    from metaplat.settings import CatalogSettings
    from metaplat.stores.catalog.index import Applied, CatalogIndex

OK, REFUSED, RUNNING, SUCCEEDED, FAILED = "ok", "refused", "running", "succeeded", "failed"
ENDED = {"finish": SUCCEEDED, "fail": FAILED}
MAX_TOLD = 1000
"""Dataset ids that an event lists; the edges of a run name them all."""


class PipelineRuns:
    """Records runs of pipelines.

    Parameters
    ----------
    index : CatalogIndex
        Where they are recorded.
    settings : CatalogSettings
        Which types of relationships there are.
    now : datetime
        Aware UTC.
    """

    def __init__(self, index: CatalogIndex, settings: CatalogSettings, now: datetime) -> None:
        self._index, self._settings, self._now = index, settings, now

    def preflight(self, run_id: str, pipeline: str, result: PreflightResult) -> None:
        """Record the answer of a pre-flight. Asked again for the same run, each new answer is recorded."""
        answer = {check.name: {"state": check.state, **check.numbers} for check in result.checks}
        message = " ".join(result.failures) or f"{len(result.datasets)} datasets, {result.bytes} bytes."
        event = self._event(run_id, "preflight", pipeline, OK if result.ok else REFUSED, message, answer)
        event["event_id"] = _identity(run_id, "preflight", json.dumps(answer, sort_keys=True))
        event["datasets"] = len(result.datasets)
        self._write(Change(events=(event,)))

    def start(
        self,
        run_id: str,
        pipeline: str,
        inputs: Sequence[str],
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """Record that a run begins.

        Parameters
        ----------
        run_id : str
            Its identity, chosen by the caller: a retried start says the same one.
        pipeline : str
            Its name.
        inputs : sequence of str
            Ids of the datasets it reads; all must be cataloged.
        parameters : mapping or None
            What it is run with; must be JSON and hold no secret.

        Raises
        ------
        UsageError
            An input is not cataloged, or the run was started before with another pipeline or other inputs,
            or has ended.
        """
        ids = _named(run_id, pipeline, inputs)
        self._require_cataloged(ids)
        detail = {"inputs": ids[:MAX_TOLD], "inputs_digest": _digest(ids), "parameters": parameters or {}}
        events = self._index.events(run_id)
        if begun := _first(events, "start"):
            same = json.loads(begun["detail"])["inputs_digest"] == detail["inputs_digest"]
            if begun["pipeline"] != pipeline or not same:
                raise UsageError(f"run {run_id!r} was started before, with another pipeline or other inputs")
            self._require_open(run_id, events)
        event = self._event(run_id, "start", pipeline, RUNNING, f"{len(ids)} datasets to read.", detail)
        self._write(Change(events=(event | {"datasets": len(ids)},)))

    def progress(self, run_id: str, fraction: float, message: str = "") -> None:
        """Record how far a run is.

        Parameters
        ----------
        run_id : str
            Which run.
        fraction : float
            From 0 to 1.
        message : str
            One sentence; the same fraction and message is one event.

        Raises
        ------
        UsageError
            The run was never started, or has ended; or the fraction is out of range.
        """
        if not 0 <= fraction <= 1:
            raise UsageError(f"progress {fraction}: it must be from 0 to 1")
        begun = self._begun(run_id)
        event = self._event(run_id, "progress", begun["pipeline"], RUNNING, message, {"fraction": fraction})
        event["event_id"] = _identity(run_id, "progress", f"{fraction!r} {message}")
        self._write(Change(events=(event,)))

    def finish(
        self,
        run_id: str,
        outputs: Sequence[Row] = (),
        *,
        relationship_type: str = "raw_to_processed",
        quality: Mapping[str, float] | None = None,
        processing_status: str = "processed",
        inputs: Sequence[str] | None = None,
    ) -> Applied | None:
        """Record that a run succeeded: outputs, their relationships, status and quality, in one transaction.

        Parameters
        ----------
        run_id : str
            Which run.
        outputs : sequence of Row
            Observations it made, as ``ingesting`` reads them.
        relationship_type : str
            Of every output to every input; one of ``catalog.relationship_types``.
        quality : mapping of str to float or None
            Quality of datasets, 0 to 1, by id: of outputs, or of others that are cataloged.
        processing_status : str
            Of the outputs.
        inputs : sequence of str or None
            Ids of the datasets the outputs were made from; None means those of ``start``.

        Returns
        -------
        Applied or None
            None where this run had finished before, and nothing was written.

        Raises
        ------
        UsageError
            The run was never started, or has failed; a value is out of range; there are too many inputs to
            be remembered by ``start`` and none are given.
        InvalidInputError
            A relationship would close a circle. Nothing is written.
        """
        self._check_words(relationship_type, processing_status, quality or {})
        events = self._index.events(run_id)
        if _first(events, "finish"):
            return None
        begun = self._begun(run_id)
        parents = self._inputs(begun) if inputs is None else list(dict.fromkeys(inputs))
        rows = [_output(row, processing_status, quality or {}) for row in outputs]
        made = [row["dataset_id"] for row in rows]
        edges = [_edge(parent, child, relationship_type, run_id) for child in made for parent in parents]
        others = {
            key: {"data_quality_score": score} for key, score in (quality or {}).items() if key not in made
        }
        detail = {"outputs": made[:MAX_TOLD], "relationships": len(edges), "quality": dict(quality or {})}
        message = f"{len(made)} outputs of {len(parents)} inputs."
        event = self._event(run_id, "finish", begun["pipeline"], SUCCEEDED, message, detail)
        event["datasets"] = len(made)
        return self._write(Change(rows, others, edges, (event,)))

    def fail(self, run_id: str, reason: str) -> None:
        """Record that a run failed, and why; said again, the first reason stays.

        Raises
        ------
        UsageError
            The run was never started, or has succeeded.
        """
        events = self._index.events(run_id)
        if _first(events, "fail"):
            return
        begun = self._begun(run_id)
        self._write(Change(events=(self._event(run_id, "fail", begun["pipeline"], FAILED, reason, {}),)))

    def relate(
        self,
        parents: Sequence[str],
        children: Sequence[str],
        relationship_type: str,
        *,
        run_id: str | None = None,
    ) -> int:
        """Record that every child was made from every parent, outside of any run; returns how many are new.

        Raises
        ------
        UsageError
            The type is not one of ``catalog.relationship_types``.
        InvalidInputError
            A relationship would close a circle. Nothing is written.
        """
        self._check_words(relationship_type, PROCESSING_STATES[0], {})
        edges = [_edge(parent, child, relationship_type, run_id) for child in children for parent in parents]
        return self._write(Change(relationships=edges)).relationships

    def _begun(self, run_id: str) -> Row:
        """Return the start of a run that is under way."""
        events = self._index.events(run_id)
        begun = _first(events, "start")
        if begun is None:
            raise UsageError(f"run {run_id!r} was never started")
        self._require_open(run_id, events)
        return begun

    def _require_open(self, run_id: str, events: Sequence[Row]) -> None:
        for action, state in ENDED.items():
            if _first(events, action):
                raise UsageError(f"run {run_id!r} has {state}; a new attempt needs a run id of its own")

    def _require_cataloged(self, ids: Sequence[str]) -> None:
        known = self._index.known(ids)
        if unknown := [key for key in ids if key not in known]:
            raise UsageError(
                f"{len(unknown)} of {len(ids)} inputs are not cataloged: {', '.join(unknown[:5])}"
            )

    def _inputs(self, begun: Row) -> list[str]:
        detail = json.loads(begun["detail"])
        if len(detail["inputs"]) < begun["datasets"]:
            raise UsageError(
                f"run {begun['run_id']!r} has {begun['datasets']} inputs: name those of its outputs"
            )
        return list(detail["inputs"])

    def _check_words(self, kind: str, status: str, quality: Mapping[str, float]) -> None:
        check_types((kind,), self._settings.relationship_types)
        if status not in PROCESSING_STATES:
            raise UsageError(f"processing status {status!r} is none of {', '.join(PROCESSING_STATES)}")
        for key, score in quality.items():
            if not 0 <= score <= 1:
                raise UsageError(f"quality {score} of {key}: it must be from 0 to 1")

    def _event(
        self,
        run_id: str,
        action: str,
        pipeline: str | None,
        status: str,
        message: str,
        detail: Mapping[str, Any],
    ) -> Row:
        return {
            "event_id": _identity(run_id, action),
            "occurred_at": self._now,
            "action": action,
            "run_id": run_id,
            "pipeline": pipeline,
            "status": status,
            "message": message or None,
            "datasets": None,
            "detail": json.dumps(detail) if detail else None,
        }

    def _write(self, change: Change) -> Applied:
        return self._index.apply(change, self._now)


def _output(row: Row, status: str, quality: Mapping[str, float]) -> Row:
    score = quality.get(row["dataset_id"], row["data_quality_score"])
    return row | {"processing_status": status, "data_quality_score": score}


def _edge(parent: str, child: str, kind: str, run_id: str | None) -> Row:
    return {
        "parent_dataset_id": parent,
        "child_dataset_id": child,
        "relationship_type": kind,
        "relationship_metadata": None,
        "run_id": run_id,
    }


def _named(run_id: str, pipeline: str, inputs: Sequence[str]) -> list[str]:
    if not run_id.strip() or not pipeline.strip():
        raise UsageError("a run needs a run id and the name of its pipeline")
    return list(dict.fromkeys(inputs))


def _first(events: Sequence[Row], action: str) -> Row | None:
    return next((event for event in events if event["action"] == action), None)


def _identity(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def _digest(ids: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(sorted(ids)).encode(), digest_size=8).hexdigest()
