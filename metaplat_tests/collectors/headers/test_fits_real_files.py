"""Real FITS files, those that ship inside astropy and sunpy: every value is the one that astropy reads."""

from __future__ import annotations

import warnings
from pathlib import Path

import astropy
import pytest
import sunpy
from astropy.io import fits

from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header
from metaplat.collectors.headers.sniff import FITS_MAGIC

SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fts.gz")
PACKAGES = [Path(str(package.__file__)).parent for package in (astropy, sunpy)]
FILES = sorted(
    path for package in PACKAGES for path in package.rglob("*") if path.name.lower().endswith(SUFFIXES)
)
REAL = [path for path in FILES if path.suffix == ".gz" or path.read_bytes().startswith(FITS_MAGIC)]
OF_ONE_HEADER = {"CHECKSUM", "DATASUM", "EXTEND"}
UNREADABLE = object()


def comparable(card: fits.Card) -> object:
    """Return the value of a card as we write it: blank is None, complex numbers are not compared."""
    try:
        value = card.value
    except fits.VerifyError:
        return UNREADABLE
    if isinstance(value, str):
        return value.rstrip() or None
    if isinstance(value, complex):
        return UNREADABLE
    return None if isinstance(value, fits.card.Undefined) else value


def headers_by_astropy(path: Path) -> list[dict[str, object]]:
    """Return the first occurrence of every keyword, header by header."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fits.open(path, disable_image_compression=True, lazy_load_hdus=False) as hdus:
            found = [[(card.keyword.upper(), comparable(card)) for card in hdu.header.cards] for hdu in hdus]
        if path.suffix != ".gz":  # astropy changes what it opened, of invalid random groups
            raw = fits.Header.fromfile(path)
            found[0] = [(card.keyword.upper(), comparable(card)) for card in raw.cards]
    return [dict(reversed([pair for pair in pairs if pair[0] not in REMARKS])) for pairs in found]


REMARKS = {"", "COMMENT", "HISTORY"}


def test_there_are_real_files_to_compare_with() -> None:
    assert len(REAL) > 50
    assert sum(path.suffix == ".gz" for path in REAL) > 5


@pytest.mark.parametrize("path", REAL, ids=[f"{path.parent.name}/{path.name}" for path in REAL])
def test_every_value_of_a_real_file_is_the_one_that_astropy_reads(path: Path) -> None:
    with open_local(str(path)) as source:
        header = read_header(source)
    primary, *others = headers_by_astropy(path)
    ours = {keyword: header.values[keyword] for keyword in primary}
    merged = {keyword for keyword, value in ours.items() if primary[keyword] is None and value is not None}
    for keyword in merged:
        assert any(other.get(keyword) == ours[keyword] for other in others)
    assert {keyword: value for keyword, value in ours.items() if keyword not in merged} == {
        keyword: ours[keyword] if value is UNREADABLE else value
        for keyword, value in primary.items()
        if keyword not in merged
    }
    assert header.file_format == "fits"
    assert header.truncated is None


@pytest.mark.parametrize("path", REAL, ids=[f"{path.parent.name}/{path.name}" for path in REAL])
def test_what_further_headers_add_is_what_the_first_of_them_says(path: Path) -> None:
    with open_local(str(path)) as source:
        header = read_header(source)
    primary, *others = headers_by_astropy(path)
    for keyword in set(header.values) - set(primary):
        said = [other[keyword] for other in others if other.get(keyword) is not None]
        assert header.values[keyword] == (said[0] if said else None)
    if primary["NAXIS"] == 0 and others:
        assert set(others[0]) - OF_ONE_HEADER <= set(header.values)


def test_a_name_says_nothing_a_page_of_html_is_no_fits_file() -> None:
    assert [path.name for path in FILES if path not in REAL] == ["idcompspec.fits", "not_actually_fits.fits"]
