"""Further headers are read while something is missing, and files shorter than their headers say are found."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy.io import fits

from metaplat.collectors.headers.local_source import open_local
from metaplat.collectors.headers.reading import read_header
from metaplat_tests.collectors.headers.fits_files import WHOLE, extension, header, primary, read

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.collectors.headers.header import Header


def read_local(path: Path, content: bytes) -> Header:
    """Read bytes that lie in a file on this machine."""
    path.write_bytes(content)
    with open_local(str(path)) as source:
        return read_header(source)


def test_behind_an_empty_primary_the_first_extension_is_read_too() -> None:
    content = primary(*WHOLE, "EXPTIME =") + extension("EXPTIME = 5", "FILTER  = 'R'", axes=(3,))
    found = read(content + extension("GAIN    = 2"))
    assert (found.values["EXPTIME"], found.values["FILTER"]) == (5, "R")
    assert "GAIN" not in found.values
    assert found.flags == []


def test_the_primary_header_wins_unless_its_value_is_blank() -> None:
    content = primary("OBJECT  = 'M31'", "FILTER  = ' '") + extension("OBJECT  = 'M87'", "FILTER  = 'R'")
    found = read(content)
    assert (found.values["OBJECT"], found.values["FILTER"], found.values["NAXIS"]) == ("M31", "R", 0)


def test_headers_are_read_until_time_telescope_and_instrument_are_known() -> None:
    content = primary("TELESCOP= 'T'", axes=(2880,))
    content += (
        extension("INSTRUME= 'I'", axes=(10,)) + extension("MJD-OBS = 60000.5") + extension("LATER   = 1")
    )
    found = read(content)
    assert (found.values["INSTRUME"], found.values["MJD-OBS"]) == ("I", 60000.5)
    assert "LATER" not in found.values


def test_a_primary_that_says_everything_is_read_alone() -> None:
    found = read(primary(*WHOLE, axes=(5,)) + extension("GAIN    = 2"))
    assert "GAIN" not in found.values


def test_at_most_eight_headers_are_read() -> None:
    content = primary(axes=(5,)) + b"".join(extension(f"KEY{n:<5}= {n}") for n in range(1, 20))
    assert {name for name in read(content).values if name.startswith("KEY")} == {
        f"KEY{n}" for n in range(1, 8)
    }


def test_a_far_extension_costs_one_request_and_a_third_one_is_not_made() -> None:
    content = (
        primary(axes=(100_000,)) + extension("TELESCOP= 'T'", axes=(2_000_000,)) + extension("INSTRUME= 'I'")
    )
    found = read(content)
    assert found.values["TELESCOP"] == "T"
    assert "INSTRUME" not in found.values
    assert found.flags == []


def test_a_far_extension_of_a_local_file_is_read(tmp_path: Path) -> None:
    content = primary(axes=(100_000,)) + extension(*["TELESCOP= 'T'"] * 200, axes=(90_000,))
    found = read_local(tmp_path / "a", content + extension("INSTRUME= 'I'"))
    assert (found.values["TELESCOP"], found.values["INSTRUME"]) == ("T", "I")


KINDS = ["image", "scaled", "table", "variable", "ascii", "groups", "compressed", "empty"]


def written(kind: str, path: Path) -> bytes:
    """Return a file that astropy writes."""
    data = np.arange(300, dtype="i2").reshape(20, 15)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hdu = {
            "image": lambda: fits.PrimaryHDU(data),
            "scaled": lambda: fits.PrimaryHDU(data.astype("u2")),
            "table": lambda: fits.BinTableHDU.from_columns([fits.Column("a", "20A", array=["x"] * 7)]),
            "variable": lambda: fits.BinTableHDU.from_columns(
                [fits.Column("a", "PJ()", array=np.array([[1, 2, 3], [4] * 400], dtype=object))]
            ),
            "ascii": lambda: fits.TableHDU.from_columns([fits.Column("a", "I4", array=[1, 2], ascii=True)]),
            "groups": lambda: fits.GroupsHDU(
                fits.GroupData(np.zeros((4, 1, 3)), bitpix=-32, parnames=["p"], pardata=[[1.0] * 4])
            ),
            "compressed": lambda: fits.CompImageHDU(data, compression_type="RICE_1"),
            "empty": lambda: fits.PrimaryHDU(),
        }[kind]()
        hdu.writeto(path, overwrite=True)
    return path.read_bytes()


def end_of_data(path: Path) -> int:
    """Return where astropy says that the data of the last header end, without their padding."""
    with fits.open(path, disable_image_compression=True) as hdus:
        info = hdus[-1].fileinfo()
        return int(info["datLoc"]) + int(hdus[-1].size)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_astropy_wrote_is_whole_and_cut_by_a_byte_it_is_not(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    content = written(kind, path)
    end = end_of_data(path)
    assert read_local(path, content).flags == []
    if kind == "empty":
        return
    assert read_local(path, content[:end]).flags == ([] if end == len(content) else ["padding_missing"])
    cut = read_local(path, content[: end - 1])
    assert cut.flags == ["truncated"]
    assert str(end) in str(cut.truncated)
    assert str(end - 1) in str(cut.truncated)


def test_a_header_without_its_padding_is_whole() -> None:
    content = primary(*WHOLE)
    assert read(content.rstrip(b" ").ljust(800)).flags == ["padding_missing"]


def test_a_file_cut_behind_the_headers_that_are_read_is_found_by_its_uneven_size(tmp_path: Path) -> None:
    whole = (
        primary(*WHOLE, axes=(5,))
        + extension(axes=(90_000,))
        + extension(axes=(100,))
        + extension(axes=(100,))
    )
    assert read_local(tmp_path / "a", whole).truncated is None
    cut = read_local(tmp_path / "a", whole[:-2781])
    assert cut.flags == ["truncated"]
    assert str(len(whole) - 2780) in str(cut.truncated)
    assert cut.values == read_local(tmp_path / "a", whole).values
    in_header = read_local(tmp_path / "a", whole[: -5760 + 300])
    assert in_header.flags == ["truncated"]
    assert str(len(whole) - 5760) in str(in_header.truncated)
    assert read(whole[:-2781]).flags == ["size_uneven"]  # on S3 it would take more requests


def test_what_follows_the_data_and_is_no_header_is_flagged(tmp_path: Path) -> None:
    for junk in (b"\0" * 100, b"trailing", bytes(range(256)) * 400):
        assert read_local(tmp_path / "a", primary(*WHOLE, axes=(5,)) + junk).flags == ["trailing_bytes"]
    assert read(primary(axes=(5,)) + b"\0" * 2880).flags == ["trailing_bytes"]


@pytest.mark.parametrize(
    "shape",
    [
        ["BITPIX  = 8"],
        ["BITPIX  = 8", "NAXIS   = 'two'"],
        ["BITPIX  = 8", "NAXIS   = 1"],
        ["BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = -5"],
        ["BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 1.5"],
        ["NAXIS   = 1", "NAXIS1  = 5"],
        ["BITPIX  = 8", "NAXIS   = 99999999", "NAXIS1  = 5"],
        ["BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 5", "PCOUNT  = -1"],
        ["BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 5", "GCOUNT  = T"],
    ],
)
def test_a_shape_that_says_nothing_is_flagged_and_the_header_kept(shape: list[str]) -> None:
    found = read(header("SIMPLE  = T", *shape, "OBJECT  = 'M31'") + b"\0" * 2880)
    assert found.values["OBJECT"] == "M31"
    assert found.flags == ["size_unknown"]


def test_a_huge_shape_is_only_a_number() -> None:
    shape = [f"NAXIS{axis:<3}= 999999999999" for axis in range(1, 31)]
    found = read(header("SIMPLE  = T", "BITPIX  = -64", "NAXIS   = 30", *shape))
    assert found.flags == ["truncated"]


def test_an_extension_without_end_does_not_reject_the_file() -> None:
    lines = [line.ljust(80).encode() for line in ["XTENSION= 'IMAGE'", "BITPIX  = 8"]]
    broken = b"".join(lines).ljust(2880) + bytes(2880 * 40)
    assert read(primary("OBJECT  = 'M31'") + broken).flags == ["broken_extension"]
