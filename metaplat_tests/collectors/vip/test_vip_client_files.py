"""The list of a job's files: nothing promised vanishes, whatever is wrong with an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.collectors.vip.file_list import listed_files
from metaplat.model.errors import InvalidInputError, PermanentSourceError, TransientSourceError
from metaplat.settings import VipSettings
from metaplat_tests.collectors.vip.vip_api import FILES, TOKEN, Reply, VipApi, token_reply
from metaplat_tests.collectors.vip.vip_asking import ask

if TYPE_CHECKING:
    from metaplat.collectors.vip.signed_file import SignedFile

URL = "https://x.s3.amazonaws.com/a/T_0.csv?X-Amz-Signature=canary-signature"
MD5 = "0123456789abcdef0123456789ABCDEF"


def entry(**more: Any) -> dict[str, Any]:
    return {"key": "a/T_0.csv", "presignedDownloadURL": URL, "size": 5} | more


def listed(api: VipApi, **changes: Any) -> list[SignedFile]:
    return ask(api.settings(**changes), lambda client: client.files("job-1"))


def only(document: object) -> SignedFile:
    (file,) = listed_files(document, VipSettings())
    return file


def test_a_list_gives_a_file_for_each_entry_in_its_order() -> None:
    entries = [entry(), entry(key="b/U_0.csv", size=None), entry()]
    with VipApi(files=Reply(body=entries)) as api:
        files = listed(api)
    assert [(file.promised.key, file.promised.size) for file in files] == [
        ("a/T_0.csv", 5), ("b/U_0.csv", None), ("a/T_0.csv", 5),
    ]  # fmt: skip
    assert files[0].url.get_secret_value() == URL
    assert "canary-signature" not in repr(files)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=[]),
        Reply(body=None),
        Reply(body=b""),
        Reply(204, b""),
        Reply(202, {"x": 1}),
        Reply(409, b"wait"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body}",
)
def test_a_list_that_is_not_ready_is_empty(reply: Reply) -> None:
    with VipApi(files=reply) as api:
        assert listed(api) == []
        assert len(api.calls(FILES)) == 1


@pytest.mark.parametrize(
    ("told", "size"),
    [(0, 0), (7, 7), ("8", 8), (" 9 ", 9), (10.0, 10), ("11.0", 11), (None, None), (2**62, 2**62)],
)
def test_a_size_is_a_number_or_the_text_of_one(told: object, size: int | None) -> None:
    file = only([entry(size=told)])
    assert (file.promised.size, file.problem) == (size, None)


@pytest.mark.parametrize("told", [-1, "-1", 1.5, "1,5", "big", "", True, [], {}, 1e300, 2**63, "9" * 30])
def test_a_file_whose_size_is_none_is_kept_and_cannot_be_fetched(told: object) -> None:
    file = only([entry(size=told)])
    assert file.promised.size is None
    assert file.url.get_secret_value() == ""
    assert file.problem == "the list gives a size (size) that is none"


@pytest.mark.parametrize("told", [None, "", "  ", 5, {}])
def test_a_file_without_an_address_is_kept_and_says_so(told: object) -> None:
    file = only([entry(presignedDownloadURL=told)])
    assert file.promised.key == "a/T_0.csv"
    assert file.url.get_secret_value() == ""
    assert file.problem == "the list gives no address (presignedDownloadURL) for it"


@pytest.mark.parametrize(
    ("told", "checksum"),
    [
        (MD5, MD5.lower()),
        (f" {'A' * 64}", "a" * 64),
        ("1B2M2Y8AsgTpgAmY7PhCfg==", None),
        ("abc", None),
        (5, None),
    ],
)
def test_a_checksum_is_taken_in_the_forms_that_can_be_compared(told: object, checksum: str | None) -> None:
    assert only([entry(checksum=told)]).promised.checksum == checksum


@pytest.mark.parametrize("wrong", [5, "a", None, {}, {"key": ""}, {"key": 5}, {"key": None}, []])
def test_an_entry_without_a_key_is_promised_and_stops_no_other(wrong: object) -> None:
    with VipApi(files=Reply(body=[wrong, entry(), wrong])) as api:
        first, whole, last = listed(api)
    assert (whole.promised.key, whole.problem) == ("a/T_0.csv", None)
    assert [each.promised.key for each in (first, last)] == [
        "(entry without a key, number 1)",
        "(entry without a key, number 2)",
    ]
    assert first.problem == last.problem == "the list gives no key (key) for it"


@pytest.mark.parametrize("wrong", [5, {}, {"error": "down for maintenance"}])
def test_a_list_without_any_key_is_a_list_of_something_else(wrong: object) -> None:
    with (
        VipApi(files=Reply(body=[wrong])) as api,
        pytest.raises(TransientSourceError, match="entries without 'key' only"),
    ):
        listed(api)


@pytest.mark.parametrize("body", [{"files": []}, "text", 5, b"<html>", b"\xff\xfe[]", b'[{"key": "a"}'])
def test_an_answer_that_is_no_list_is_asked_for_again(body: object) -> None:
    with VipApi(files=[Reply(body=body), Reply(body=[entry()])]) as api:
        assert len(listed(api)) == 1
        assert len(api.calls(FILES)) == 2


def test_a_byte_order_mark_is_no_part_of_the_list() -> None:
    with VipApi(files=Reply(body=b"\xef\xbb\xbf[]")) as api:
        assert listed(api) == []


@pytest.mark.parametrize("api_token", ["client_secret", "access_token"])
def test_a_refused_list_is_asked_for_once_more(api_token: str) -> None:
    tokens = [token_reply("old"), token_reply("new")]
    with VipApi(token=tokens, files=[Reply(401), Reply(body=[entry()])]) as api:
        assert len(listed(api, api_token=api_token)) == 1
        used = [call.query["apiToken"] for call in api.calls(FILES)]
        assert len(api.calls(TOKEN)) == (2 if api_token == "access_token" else 0)
    assert used == (["old", "new"] if api_token == "access_token" else used[:1] * 2)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(400, {"Message": "bad expirationInMinutes"}), "HTTP 400: bad expirationInMinutes"),
        (Reply(404), "vip.company"),
        (Reply(403), "what this client may do"),
        (Reply(401), "refused"),
    ],
)
def test_a_list_that_is_refused_says_what_to_do(reply: Reply, words: str) -> None:
    with VipApi(files=reply) as api, pytest.raises(PermanentSourceError) as caught:
        listed(api)
    assert words in str(caught.value)
    assert caught.value.attempted == f"ask for the files of a job (GET {FILES})"


def test_a_list_is_read_up_to_its_limits_and_no_further() -> None:
    long = Reply(body=[entry(key=f"a/T_{number}.csv") for number in range(300)])
    for changes, key in (({"max_manifest_mb": 0.02}, "max_manifest_mb"), ({"max_files": 5}, "max_files")):
        with VipApi(files=long) as api, pytest.raises(PermanentSourceError, match=f"raise vip.{key}"):
            listed(api, **changes)


def test_a_list_that_is_nested_too_deeply_is_none() -> None:
    deep: object = "x"
    for _ in range(40):
        deep = [deep]
    with (
        VipApi(files=Reply(body=[entry(more=deep)])) as api,
        pytest.raises(TransientSourceError, match="32 levels"),
    ):
        listed(api)
    with VipApi(files=Reply(body=[entry(more=deep)])) as api:
        assert len(listed(api, max_json_depth=42)) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["key", "size", "checksum"]) | st.text(), inner)
    ),
)


@given(JSON, JSON, JSON)
def test_any_entry_with_a_key_is_kept(size: object, url: object, checksum: object) -> None:
    file = only([{"key": "k", "size": size, "presignedDownloadURL": url, "checksum": checksum}])
    assert file.promised.key == "k"
    assert (file.problem is None) is bool(file.url.get_secret_value())


@given(JSON.filter(lambda document: document is not None and not isinstance(document, list)))
def test_no_other_document_is_a_list(document: object) -> None:
    with pytest.raises(InvalidInputError, match="is no list of files"):
        listed_files(document, VipSettings())
