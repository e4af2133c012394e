"""The catalog for pipelines, in a few lines of Python.

Here: ``Catalog``: search, pre-flight, and a run that records itself.
Not here: what these do (the other modules), the Dagster resource (``orchestration``).

Example::

    from metaplat.catalog.client import Catalog

    with Catalog.open() as catalog:
        need = catalog.preflight(mission="HST", min_datasets=3, output="/data/out")
        with catalog.run("calibrate", "calibrate-2026-03-01", need.datasets) as run:
            run.progress(0.5, "half of the frames")
            run.output("/data/out/mosaic.fits", quality=0.97)
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metaplat.catalog.cql2 import parse_cql2
from metaplat.catalog.graph import Direction, Graph, graph_of
from metaplat.catalog.naming import dataset_named
from metaplat.catalog.outputs import observed_files
from metaplat.catalog.pipelines import PipelineRuns
from metaplat.catalog.preflight import PreflightRequest, PreflightResult, preflight
from metaplat.catalog.search import SearchRequest, filter_of, iterate
from metaplat.model.errors import UnknownNameError
from metaplat.settings import load_settings
from metaplat.stores.catalog.opening import open_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metaplat.model.observation import Row
    from metaplat.settings import Settings
    from metaplat.stores.catalog.index import CatalogIndex


MAX_REASON = 500


class Catalog:
    """The catalog of one installation; close it, or use it in a ``with``.

    Parameters
    ----------
    settings : Settings
        Which index, and the defaults of a pre-flight.
    index : CatalogIndex or None
        An index that is open already; None opens the one of the settings.
    """

    def __init__(self, settings: Settings, index: CatalogIndex | None = None) -> None:
        self.settings = settings
        self.index = open_index(settings) if index is None else index

    @classmethod
    def open(cls, config: Path | str | None = None) -> Catalog:
        """Open the catalog of a settings file, else of the usual places; raises SettingsError."""
        return cls(load_settings(Path(config) if config else None))

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the index."""
        self.index.close()

    def search(self, where: str | None = None, **conditions: Any) -> Iterator[Row]:
        """Yield every matching observation, page by page.

        Parameters
        ----------
        where : str or None
            CQL2, as text or JSON.
        **conditions
            Of ``SearchRequest``: ``mission``, ``target``, ``start``, ``end``, ``min_quality``, ``cone``, ...;
            ``limit`` is how many there are at most.

        Raises
        ------
        UsageError
            A field or a value is not one the catalog knows; the text lists the queryables.
        """
        limit = conditions.pop("limit", None)
        return islice(iterate(self.index, _request(where, conditions)), limit)

    def get(self, dataset: str) -> Row:
        """Return one observation by its id, path or address; raises UsageError where it is not cataloged."""
        return self.index.get([dataset_named(self.index, dataset)])[0]

    def graph(self, dataset: str, direction: Direction = Direction.BOTH, **limits: Any) -> Graph:
        """Return what a dataset was made from and what was made from it (``graph.graph_of``)."""
        return graph_of(self.index, [dataset_named(self.index, dataset)], direction, **limits)

    def preflight(
        self,
        where: str | None = None,
        *,
        output: str | None = None,
        min_datasets: int = 1,
        max_datasets: int | None = None,
        run_id: str | None = None,
        pipeline: str = "preflight",
        **conditions: Any,
    ) -> PreflightResult:
        """Check whether a pipeline may start; with ``run_id`` the answer goes to the audit trail.

        Parameters
        ----------
        where, **conditions
            As ``search``; ``min_quality`` and ``window_days`` (None: any time) default to the settings, the
            window only where neither ``start`` nor ``end`` is given.
        output : str or None
            Where the output goes; its room is measured.
        min_datasets, max_datasets : int, int or None
            How many are needed, and read at most.
        """
        defaults = self.settings.catalog
        quality = conditions.pop("min_quality", defaults.min_quality)
        dated = conditions.get("start") or conditions.get("end")
        window = conditions.pop("window_days", None if dated else defaults.window_days)
        ratio = conditions.pop("out_ratio", defaults.out_ratio)
        request = PreflightRequest(
            filter_of(_request(where, conditions)),
            min_datasets=min_datasets,
            max_datasets=max_datasets,
            min_quality=quality,
            window_days=window,
            out_ratio=ratio,
            output=output,
        )
        now = datetime.now(UTC)
        result = preflight(self.index, request, self.settings, now)
        if run_id is not None:
            self._runs(now).preflight(run_id, pipeline, result)
        return result

    @contextmanager
    def run(
        self,
        pipeline: str,
        run_id: str,
        inputs: Sequence[str],
        *,
        relationship_type: str = "raw_to_processed",
        parameters: Mapping[str, Any] | None = None,
    ) -> Iterator[PipelineRun]:
        """Record a run: started here, finished at the end of the ``with``, failed where an error leaves it.

        Parameters
        ----------
        pipeline : str
            Its name.
        run_id : str
            Its identity; a retried run with the same id is one run.
        inputs : sequence of str
            Ids of the datasets it reads.
        relationship_type : str
            Of every output to every input.
        parameters : mapping or None
            What it is run with; JSON, without secrets.
        """
        self._runs().start(run_id, pipeline, inputs, parameters)
        run = PipelineRun(self, run_id)
        try:
            yield run
            run.register(relationship_type, inputs)
        except BaseException as error:
            self._runs().fail(run_id, f"{type(error).__name__}: {error}"[:MAX_REASON])
            raise

    def _runs(self, now: datetime | None = None) -> PipelineRuns:
        return PipelineRuns(self.index, self.settings.catalog, now or datetime.now(UTC))


class PipelineRun:
    """A run under way; ``Catalog.run`` makes it.

    Parameters
    ----------
    catalog : Catalog
        Where it is recorded.
    run_id : str
        Its identity.
    """

    def __init__(self, catalog: Catalog, run_id: str) -> None:
        self._catalog, self.run_id = catalog, run_id
        self._outputs: dict[str, float | None] = {}
        self._quality: dict[str, float] = {}

    def progress(self, fraction: float, message: str = "") -> None:
        """Record how far it is, from 0 to 1."""
        self._catalog._runs().progress(self.run_id, fraction, message)  # noqa: SLF001  # one module

    def output(self, path: Path | str, quality: float | None = None) -> None:
        """Name a file that it made; its header is read when the run finishes."""
        address = str(path) if str(path).startswith("s3://") else os.path.abspath(path)  # noqa: PTH100
        self._outputs[address] = quality

    def quality(self, dataset_id: str, score: float) -> None:
        """State the quality of a dataset that is cataloged, 0 to 1."""
        self._quality[dataset_id] = score

    def register(self, relationship_type: str, inputs: Sequence[str]) -> None:
        """Record that it succeeded, with everything named so far.

        Raises
        ------
        InvalidInputError
            An output cannot be cataloged; the text says which and why. Nothing is written.
        """
        rows = observed_files(list(self._outputs), self._catalog.settings)
        scores = {
            row["dataset_id"]: score
            for row, score in zip(rows, self._outputs.values(), strict=True)
            if score is not None
        }
        self._catalog._runs().finish(  # noqa: SLF001  # one module
            self.run_id,
            rows,
            relationship_type=relationship_type,
            quality=scores | self._quality,
            inputs=inputs,
        )


def _request(where: str | None, conditions: Mapping[str, Any]) -> SearchRequest:
    try:
        request = SearchRequest(**conditions)
    except TypeError:
        known = [field.name for field in fields(SearchRequest)]
        unknown = next((name for name in conditions if name not in known), "")
        raise UnknownNameError("condition of a search", unknown, known) from None
    return replace(request, where=parse_cql2(where)) if where else request
