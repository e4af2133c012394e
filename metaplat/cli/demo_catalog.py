"""The catalog part of ``metaplat demo``: bundled files are cataloged, related, found and checked.

Here: cataloging the samples, recording the run of a pipeline, and what is shown of it.
Not here: the files (``samples/observations``), the rest of the demo.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from metaplat.catalog.client import Catalog
from metaplat.catalog.graph import Direction
from metaplat.catalog.ingesting.bulk import ingest_place
from metaplat.cli.catalog_graph import print_graph, print_preflight
from metaplat.cli.catalog_output import print_rows
from metaplat.cli.output import note
from metaplat.orchestration.clock import utc_now

if TYPE_CHECKING:
    from metaplat.stores.home import Stores

FILES = Path(__file__).parent / "samples" / "observations"
MOSAIC = FILES / "processed" / "skylark_m31_mosaic.fits"
FLAT = FILES / "calibration" / "skylark_flat_ri.fits"
RUN = "demo-mosaic-m31"
GOOD_FRAMES = "mission_id = 'SKYLARK' AND target_object = 'M31' AND processing_status = 'raw'"


def catalog_samples(stores: Stores) -> int:
    """Catalog the bundled files, record how the mosaic was made, and return how many are new or changed."""
    # one sample is broken for good: a later demo does not try it again, so that it changes nothing
    settings = stores.settings.model_copy(
        update={"catalog": stores.settings.catalog.model_copy(update={"max_attempts": 1})}
    )
    with Catalog(settings) as catalog:
        summary = ingest_place(str(FILES), catalog.index, settings, utc_now())
        for path, reason in summary.rejections:
            note(f"observations: rejected: {Path(path).name}: {reason}")
        if not catalog.index.events(RUN):
            need = catalog.preflight(
                GOOD_FRAMES, min_quality=0.9, window_days=None, run_id=RUN, pipeline="mosaic"
            )
            flat = catalog.get(str(FLAT))["dataset_id"]
            with catalog.run("mosaic", RUN, [*need.datasets, flat]) as run:
                run.progress(0.5, "frames are aligned")
                run.output(MOSAIC, quality=0.96)
    return summary.cataloged + summary.updated


def print_catalog(stores: Stores) -> None:
    """Show a search, a graph and a pre-flight."""
    with Catalog(stores.settings) as catalog:
        note("\nmetaplat catalog search --mission SKYLARK --min-quality 0.9")
        print_rows(list(catalog.search(mission="SKYLARK", min_quality=0.9)))
        note(f"\nmetaplat catalog graph {FLAT} --impact")
        print_graph(catalog.graph(str(FLAT), Direction.DESCENDANTS, depth=10))
        asked = f"--from 2026-03-01 --min-datasets 2 --output {stores.settings.home}"
        note(f"\nmetaplat catalog preflight --mission SKYLARK --target M33 {asked}")
        where = "mission_id = 'SKYLARK' AND target_object = 'M33'"
        print_preflight(
            catalog.preflight(where, start="2026-03-01", min_datasets=2, output=str(stores.settings.home))
        )
