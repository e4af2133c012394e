"""What of the vendor's list is safe to fetch, and why the rest is not."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from metaplat.collectors.vip.safe_files import SAFE_NAME, shown_name, sort_out
from metaplat.collectors.vip.signed_file import SignedFile
from metaplat.model.extract import OWN_FILES, FileOutcome, PromisedFile
from metaplat.settings.vip import VipSettings
from metaplat_tests.collectors.vip.sick_file_host import CANARY, QUERY

SETTINGS = VipSettings()
ADDRESS = "https://bucket.s3.eu-west-1.amazonaws.com/some/key" + QUERY


def listed(key: str, size: int | None = 10, checksum: str | None = None, url: str = ADDRESS) -> SignedFile:
    return SignedFile(PromisedFile(key, size, checksum), SecretStr(url))


def names(*files: SignedFile, settings: VipSettings = SETTINGS) -> tuple[list[str], dict[str, str | None]]:
    """Return the names of safe files, and the problems of the refused ones by key."""
    found = sort_out(files, settings)
    assert all(each.outcome is FileOutcome.REFUSED for each in found.refused)
    assert CANARY not in repr(found)
    return [each.promised.name for each in found.safe], {e.promised.key: e.problem for e in found.refused}


@pytest.mark.parametrize(
    "key",
    [
        "IMOSDL/Vessel_1.csv",
        "Vessel_1.csv.gz",
        "/a/b/date=20220208/Voyage-Itinerary_0001.parquet",
        "_MasterTableSchema.json",
        "a b/Ünïcode folder/Vessel_1.csv",
        "x" * 200,
    ],
)
def test_a_plain_name_is_safe(key: str) -> None:
    assert names(listed(key)) == ([key.rpartition("/")[2]], {})


HOSTILE = {
    "up": "../x.csv",
    "up in the middle": "a/../../x.csv",
    "only dots": "..",
    "dots inside": "a..b.csv",
    "a hidden file": "a/.bashrc",
    "a dot": ".",
    "a backslash": "..\\..\\x.csv",
    "a backslash in a folder": "a\\b/x.csv",
    "quoted dots": "%2e%2e%2fx.csv",
    "quoted dots in capitals": "a/%2E%2e/x.csv",
    "a percent sign": "x%20y.csv",
    "NUL": "x\0.csv",
    "NUL in a folder": "a\0b/x.csv",
    "a line end": "x\n.csv",
    "a terminal sequence": "x\x1b[2J.csv",
    "text from right to left": "x\u202evsc.exe",
    "a lone surrogate": "x\ud800.csv",
    "no name": "folder/",
    "nothing": "",
    "a space": "x y.csv",
    "an umlaut": "Schiff_\u00e4.csv",
    "HTML": "<script>x.csv",
    "a drive": "C:x.csv",
    "a long name": "x" * 201,
    "a very long name": "x" * 2048,
    "a very long folder": "a/" * 600 + "x.csv",
    "our promise": "a/_PresignedUrls.json",
    "our manifest": "_manifest.json",
}


@pytest.mark.parametrize("key", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_refused_and_the_others_are_not(key: str) -> None:
    safe, refused = names(listed(key), listed("Vessel_1.csv"))
    assert safe == ["Vessel_1.csv"]
    assert refused.keys() == {key}
    assert refused[key]


def test_an_entry_that_is_listed_twice_is_one_file() -> None:
    found = sort_out(
        [listed("a/x.csv"), listed("a/x.csv", url=ADDRESS + "&other=1"), listed("y.csv")], SETTINGS
    )
    assert [each.promised.name for each in found.safe] == ["x.csv", "y.csv"]
    assert (found.refused, found.repeated) == ([], 1)


@pytest.mark.parametrize(
    "other",
    [listed("b/x.csv"), listed("a/x.csv", 11), listed("a/x.csv", None), listed("a/x.csv", 10, "0" * 32)],
)
def test_a_name_that_is_listed_in_two_ways_is_refused_altogether(other: SignedFile) -> None:
    found = sort_out([listed("a/x.csv"), listed("y.csv"), other, listed("a/x.csv")], SETTINGS)
    assert [each.promised.name for each in found.safe] == ["y.csv"]
    assert [each.promised for each in found.refused] == [PromisedFile("a/x.csv", 10), other.promised]
    assert found.repeated == 1


@pytest.mark.parametrize("url", ["http://bucket.s3.amazonaws.com/x", "https://169.254.169.254/x", ""])
def test_a_file_at_an_address_that_is_not_safe_is_refused(url: str) -> None:
    safe, refused = names(listed("x.csv", url=url + QUERY), listed("y.csv"))
    assert safe == ["y.csv"]
    assert refused["x.csv"]


def test_a_file_whose_entry_is_wrong_is_refused_with_what_the_list_reader_says() -> None:
    file = SignedFile(PromisedFile("x.csv", None), SecretStr(""), problem="its size is no number")
    assert names(file) == ([], {"x.csv": "its size is no number"})


def test_files_beyond_a_cap_are_refused_and_those_before_are_not() -> None:
    files = [
        listed("a.csv", 600),
        listed("b.csv", 900),
        listed("c.csv", 500),
        listed("d.csv", 400),
        listed("e.csv", 0),
    ]
    largest = VipSettings(max_file_gb=800 / 2**30)
    assert names(*files, settings=largest)[0] == ["a.csv", "c.csv", "d.csv", "e.csv"]
    job = VipSettings(max_job_gb=1000 / 2**30)
    assert names(*files, settings=job)[0] == ["a.csv", "d.csv", "e.csv"]
    count = VipSettings(max_files=2)
    safe, refused = names(listed("../x"), *files, settings=count)
    assert safe == ["a.csv", "b.csv"]
    assert "vip.max_files" in str(refused["c.csv"])


def test_sizes_that_are_none_are_refused_and_unknown_ones_are_not() -> None:
    assert names(listed("a.csv", -1), listed("b.csv", None), listed("c.csv", 0))[0] == ["b.csv", "c.csv"]


KEYS = st.one_of(
    st.sampled_from([*HOSTILE.values(), "a.csv", "x/a.csv", "b.csv"]),
    st.text(max_size=30),
    st.from_regex(SAFE_NAME, fullmatch=True),
)


@given(
    st.lists(
        st.tuples(KEYS, st.sampled_from([None, 0, 5]), st.sampled_from([ADDRESS, "http://evil"])), max_size=12
    )
)
def test_every_entry_is_counted_once_and_no_two_safe_files_share_a_name(
    entries: list[tuple[str, int | None, str]],
) -> None:
    files = [listed(key, size, url=url) for key, size, url in entries]
    found = sort_out(files, SETTINGS)
    safe = [each.promised.name for each in found.safe]
    assert len(safe) + len(found.refused) + found.repeated == len(files)
    assert max(Counter(safe).values(), default=1) == 1
    assert all(SAFE_NAME.fullmatch(name) and ".." not in name and name[0] != "." for name in safe)
    assert not OWN_FILES & set(safe)
    assert all(each.problem for each in found.refused)


@given(st.text(max_size=400))
def test_a_name_as_it_is_shown_is_one_short_printable_line(key: str) -> None:
    shown = shown_name(key)
    assert shown.isascii()
    assert shown.isprintable() or not shown
    assert len(shown) <= 200


def test_a_plain_name_is_shown_as_it_is() -> None:
    assert shown_name("a/b/Vessel_1.csv") == "Vessel_1.csv"
    assert shown_name("a/b\x1b[2J\n") == "b\\x1b[2J\\n"
