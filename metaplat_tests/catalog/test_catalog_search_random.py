"""Random filters, written in CQL2, find in the catalog what a plain Polars filter finds in the same rows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.catalog.cql2 import parse_json, parse_text
from metaplat.catalog.search import SearchRequest, count, facets, iterate, search
from metaplat.model.observation import OBSERVATION_FIELDS, SET_BY_INDEX, Row
from metaplat.model.polars_schema import polars_schema
from metaplat.stores.catalog.sqlite_index import SqliteIndex
from metaplat_tests.stores.catalog.catalog_rows import observation, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metaplat.stores.catalog.index import CatalogIndex

DAY = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
TEXTS = [None, "SOHO", "SDO", "soho", "100%", "a_b", "it's", "É", "\U0001f52d", ""]
QUALITIES = [None, 0.0, 0.1, 0.5, 0.7000000000000001, 1.0]
MOMENTS = [None, DAY - TICK, DAY, DAY + TICK, DAY + 23 * HOUR, DAY + 24 * HOUR, DAY + 49 * HOUR]
ANGLES = [None, 0.0, 20.0, 40.0]


def rows() -> list[Row]:
    """Return many combinations of few values, so that every condition splits them."""
    return [
        observation(
            number,
            mission_id=TEXTS[number % 10],
            target_object=TEXTS[number // 3 % 10],
            data_quality_score=QUALITIES[number % 6],
            file_size=number % 5,
            observation_timestamp=MOMENTS[number % 7],
            observation_end=MOMENTS[number // 7 % 7],
            modified_time=MOMENTS[1 + number % 6],
            ra_deg=ANGLES[number % 4],
            dec_deg=ANGLES[number // 4 % 4],
            version="1" if number % 3 else None,
            file_state="present" if number % 7 else "vanished",
        )
        for number in range(210)
    ]


ROWS = rows()
FRAME = pl.DataFrame(
    ROWS, schema=polars_schema([field for field in OBSERVATION_FIELDS if field.name not in SET_BY_INDEX])
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogIndex]:
    """Yield a catalog with ``ROWS``."""
    with contextlib.closing(SqliteIndex(tmp_path_factory.mktemp("catalog") / "catalog.sqlite")) as opened:
        put(opened, *ROWS)
        yield opened


@dataclass(frozen=True)
class Asked:
    """One condition: in both encodings of CQL2, and as Polars says it."""

    text: str
    document: Any
    expected: pl.Expr


def op(name: str, *args: Any) -> dict[str, Any]:
    """Return a call in CQL2 JSON."""
    return {"op": name, "args": list(args)}


def quoted(text: str) -> str:
    """Return a text as CQL2 quotes it."""
    return "'" + text.replace("'", "''") + "'"


def stamp(moment: datetime) -> str:
    """Return a moment as CQL2 writes it."""
    return moment.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Literal:
    """A value: in both encodings, and in Polars."""

    text: str
    document: Any
    value: Any


def literal(value: Any) -> Literal:
    """Return a value in all its forms."""
    if isinstance(value, datetime):
        written = stamp(value)
        return Literal(
            f"TIMESTAMP('{written}')", {"timestamp": written}, pl.lit(value, dtype=pl.Datetime("us", "UTC"))
        )
    if isinstance(value, str):
        return Literal(quoted(value), value, pl.lit(value))
    return Literal(repr(value), value, pl.lit(value))


COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "mission": ("mission_id", [text for text in TEXTS if text is not None]),
    "target_object": ("target_object", [text for text in TEXTS if text is not None]),
    "quality": ("data_quality_score", [0, 0.1, 0.5, 0.7, 1, 2.5, -1]),
    "size": ("file_size", [0, 2, 2.0, 2.5, 4, -(2**62)]),
    "datetime": ("observation_timestamp", [moment for moment in MOMENTS if moment]),
    "modified_time": ("modified_time", [moment for moment in MOMENTS if moment]),
}
OPERATORS = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


@st.composite
def comparisons(draw: st.DrawFn) -> Asked:
    """Draw a comparison, either way around, a list, a range or a null test."""
    name = draw(st.sampled_from(sorted(COLUMNS)))
    column, values = COLUMNS[name]
    first, second = (literal(draw(st.sampled_from(values))) for _ in range(2))
    known, sign = pl.col(column), draw(st.sampled_from(sorted(OPERATORS)))
    kind = draw(st.sampled_from(["compare", "compare", "mirrored", "in", "between", "null"]))
    named = {"property": name}
    if kind == "in":
        hit = (known == first.value) | (known == second.value)
        return Asked(
            f"{name} IN ({first.text}, {second.text})",
            op("in", named, [first.document, second.document]),
            hit,
        )
    if kind == "between":
        expected = (known >= first.value) & (known <= second.value)
        return Asked(
            f"{name} BETWEEN {first.text} AND {second.text}",
            op("between", named, first.document, second.document),
            expected,
        )
    if kind == "null":
        return Asked(f"{name} IS NULL", op("isNull", named), known.is_null())
    if kind == "mirrored":
        expected = getattr(first.value, OPERATORS[sign])(known)
        return Asked(f"{first.text} {sign} {name}", op(sign, first.document, named), expected)
    expected = getattr(known, OPERATORS[sign])(first.value)
    return Asked(f"{name} {sign} {first.text}", op(sign, named, first.document), expected)


@st.composite
def days(draw: st.DrawFn) -> Asked:
    """Draw a comparison with a whole day: the day of a moment is compared."""
    name, column = draw(
        st.sampled_from([("datetime", "observation_timestamp"), ("modified_time", "modified_time")])
    )
    day, sign = date(2026, 3, draw(st.integers(1, 3))), draw(st.sampled_from(sorted(OPERATORS)))
    expected = getattr(pl.col(column).dt.date(), OPERATORS[sign])(pl.lit(day))
    if draw(st.booleans()):
        return Asked(f"{name} {sign} '{day}'", op(sign, {"property": name}, str(day)), expected)
    return Asked(f"{name} {sign} DATE('{day}')", op(sign, {"property": name}, {"date": str(day)}), expected)


@st.composite
def patterns(draw: st.DrawFn) -> Asked:
    """Draw a LIKE, with wildcards that are meant as characters."""
    part = draw(st.sampled_from(["S", "SO", "0%", "a_", "'", "É", "\U0001f52d", "\\", "o", ""]))
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    known = pl.col("target_object")
    pattern, expected = draw(
        st.sampled_from(
            [
                (f"{escaped}%", known.str.starts_with(part)),
                (f"%{escaped}%", known.str.contains(part, literal=True)),
                (escaped, known == part),
            ]
        )
    )
    return Asked(f"target LIKE {quoted(pattern)}", op("like", {"property": "target"}, pattern), expected)


def _last() -> pl.Expr:
    begin, end = pl.col("observation_timestamp"), pl.col("observation_end")
    return pl.when(end > begin).then(end).otherwise(begin)


@st.composite
def windows(draw: st.DrawFn) -> Asked:
    """Draw a temporal function on the whole observation, with an interval closed at both ends."""
    start, end = sorted(draw(st.lists(st.sampled_from(MOMENTS[1:]), min_size=2, max_size=2)))  # type: ignore[type-var]
    name = draw(st.sampled_from(["t_intersects", "t_before", "t_after", "t_during", "t_disjoint"]))
    begin, last, first_lit, last_lit = (
        pl.col("observation_timestamp"),
        _last(),
        literal(start).value,
        literal(end).value,
    )
    expected = {
        "t_intersects": (begin <= last_lit) & (last >= first_lit),
        "t_disjoint": (begin > last_lit) | (last < first_lit),
        "t_before": last < first_lit,
        "t_after": begin > last_lit,
        "t_during": (begin > first_lit) & (last < last_lit),
    }[name]
    written = [stamp(moment) for moment in (start, end) if moment]
    return Asked(
        f"{name.upper()}(datetime, INTERVAL('{written[0]}', '{written[1]}'))",
        op(name, {"property": "datetime"}, {"interval": written}),
        expected,
    )


@st.composite
def cones(draw: st.DrawFn) -> Asked:
    """Draw a cone, whose border is far from every row."""
    ra, dec, radius = (
        draw(st.sampled_from([0, 20, 40])),
        draw(st.sampled_from([0, 20, 40])),
        draw(st.sampled_from([3, 25.5, 50.25])),
    )
    ra_rad, dec_rad = pl.col("ra_deg").radians(), pl.col("dec_deg").radians()
    here_ra, here_dec = pl.lit(float(ra)).radians(), pl.lit(float(dec)).radians()
    haversine = ((dec_rad - here_dec) / 2).sin() ** 2 + dec_rad.cos() * here_dec.cos() * (
        (ra_rad - here_ra) / 2
    ).sin() ** 2
    expected = 2 * haversine.sqrt().arcsin() <= pl.lit(float(radius)).radians()
    return Asked(f"CONE({ra}, {dec}, {radius})", op("cone", ra, dec, radius), expected)


@st.composite
def words(draw: st.DrawFn) -> Asked:
    """Draw a free text of ASCII, which is never unknown."""
    word = draw(st.sampled_from(["soho", "SD", "100%", "A_B", "zzz"]))
    hit = pl.lit(value=False)
    for column in ("target_object", "mission_id", "satellite_name", "instrument_type"):
        hit |= pl.col(column).fill_null("").str.to_lowercase().str.contains(word.lower(), literal=True)
    return Asked(f"TEXT('{word}')", op("text", word), hit)


def joined(parts: list[Asked], word: str) -> Asked:
    """Join conditions by AND or OR."""
    expected = parts[0].expected
    for part in parts[1:]:
        expected = expected & part.expected if word == "AND" else expected | part.expected
    text = f" {word} ".join(f"({part.text})" for part in parts)
    return Asked(text, op(word.lower(), *[part.document for part in parts]), expected)


def negated(part: Asked) -> Asked:
    """Return the opposite."""
    return Asked(f"NOT ({part.text})", op("not", part.document), ~part.expected)


asked = st.recursive(
    comparisons() | comparisons() | days() | patterns() | windows() | cones() | words(),
    lambda inner: st.one_of(
        st.builds(joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"])),
        st.builds(negated, inner),
    ),
    max_leaves=8,
)


def right(condition: pl.Expr, *, absent: bool) -> list[str]:
    """Return the ids that Polars finds."""
    present = pl.lit(value=True) if absent else pl.col("file_state") == "present"
    return sorted(FRAME.filter(condition & present)["dataset_id"])


@given(
    asked=asked,
    absent=st.booleans(),
    limit=st.sampled_from([1, 7, 50, 1000]),
    sort=st.sampled_from([(), ("quality", "-mission"), ("-size",)]),
)
def test_a_search_finds_what_polars_finds(
    index: CatalogIndex, asked: Asked, absent: bool, limit: int, sort: tuple[str, ...]
) -> None:
    expected = right(asked.expected, absent=absent)
    request = SearchRequest(where=parse_text(asked.text), absent=absent, limit=max(limit, 5), sort=sort)
    assert sorted(row["dataset_id"] for row in iterate(index, request)) == expected
    assert count(index, request) == len(expected)
    as_json = SearchRequest(where=parse_json(asked.document), absent=absent, fields=["id"])
    assert sorted(row["dataset_id"] for row in search(index, as_json).rows) == expected


@given(asked=asked, mission=st.sampled_from([None, "SOHO"]), start=st.sampled_from([None, DAY]))
def test_facets_count_what_polars_counts(
    index: CatalogIndex, asked: Asked, mission: str | None, start: datetime | None
) -> None:
    conditions = [asked.expected, pl.col("file_state") == "present"]
    if mission is not None:
        conditions.append(pl.col("mission_id") == mission)
    if start is not None:
        conditions.append(pl.col("observation_timestamp") >= start)
    expected = dict(FRAME.filter(*conditions).group_by("target_object").len().iter_rows())
    request = SearchRequest(where=parse_text(asked.text), mission=mission, start=start)
    assert dict(facets(index, request, ["target"], limit=100)["target_object"]) == expected
