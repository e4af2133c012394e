"""A row is the same however many headers with the same keywords, or the same values, came before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.headers import observation_shapes
from metaplat.collectors.headers.header import Header
from metaplat.collectors.headers.mappings import load_mappings
from metaplat.collectors.headers.observation import FileFacts, observe

if TYPE_CHECKING:
    from metaplat.collectors.headers.header import Value
    from metaplat.model.observation import Row

MAPPINGS = load_mappings()
NAMES = {
    "fits": ["MISSION", "TELESCOP", "INSTRUME", "CALIB", "PROCSTAT", "DATE-OBS", "OBJECT", "RA", "DEC"],
    "netcdf4": [
        "Mission",
        "mission",
        "a/platform",
        "b/Platform",
        "instrument",
        "processing_level",
        "date-obs",
    ],
}
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.sampled_from(["HST", "hst", "JWST", "COMPLETE", "L2", "2026-03-01T12:00:00", "2026-03-01T12:00:00Z"]),
    st.sampled_from(["", "  ", None, True, False, 0, 1, 1.0, 12.5, ["HST"], [True], []]),
)
PATHS = ["/data/a", "/data/jw02732001001_02101_00001_nrca1_cal.fits"]


def row_of(header: Header, path: str) -> Row:
    facts = FileFacts(path, 11_520, datetime(2026, 3, 2, tzinfo=UTC), "1:11520")
    return observe(header, facts, MAPPINGS, b"x" * 11_520)


@given(st.data())
def test_a_row_does_not_depend_on_the_headers_before(draw: st.DataObject) -> None:
    form = draw.draw(st.sampled_from(sorted(NAMES)))
    names = draw.draw(st.permutations(NAMES[form]))[: draw.draw(st.integers(0, 9))]
    chosen = st.tuples(st.tuples(*[VALUES for _ in names]), st.sampled_from(PATHS))
    files = draw.draw(st.lists(chosen, min_size=2, max_size=6))
    headers = [(Header(form, dict(zip(names, values, strict=True))), path) for values, path in files]
    in_a_row = [row_of(*each) for each in headers]
    for each, found in zip(headers, in_a_row, strict=True):
        observation_shapes._shapes.clear()
        assert row_of(*each) == found


def test_what_is_remembered_is_bounded() -> None:
    for number in range(300):
        row_of(Header("fits", {f"KEY{number}": 1, "TELESCOP": "HST"}), "/data/a")
    for number in range(2000):
        row_of(Header("fits", {"TELESCOP": f"T{number}"}), "/data/a")
    assert len(observation_shapes._shapes) <= observation_shapes.KEPT_SHAPES
    kept = [len(shape._meanings) for shape in observation_shapes._shapes.values()]
    assert max(kept) <= observation_shapes.KEPT_MEANINGS
