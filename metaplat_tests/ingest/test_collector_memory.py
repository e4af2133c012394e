"""What collectors remember, on both object stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaplat.ingest.collector_memory import CollectorMemory
from metaplat.model.errors import UsageError
from metaplat.stores.local_objects import LocalObjects
from metaplat_tests.ingest.small_domain import domain

if TYPE_CHECKING:
    from pathlib import Path

    from metaplat.stores.objects import ObjectStore

DOMAIN = domain()


def memory(store: ObjectStore) -> CollectorMemory:
    return CollectorMemory(store, DOMAIN, "logs")


def test_what_was_committed_is_known_to_the_next_collection(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    first = memory(store)
    first.remember("s3://bucket/app-1", "size.12", b"so far")
    first.commit()
    later = memory(store)
    assert later.fingerprint("s3://bucket/app-1") == "size.12"
    assert later.note("s3://bucket/app-1") == b"so far"
    assert later.fingerprint("s3://bucket/app-2") is None
    assert later.note("s3://bucket/app-2") is None


def test_what_was_not_committed_is_forgotten(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    killed = memory(store)
    killed.remember("app-1", "1")
    assert killed.fingerprint("app-1") == "1"
    assert memory(store).fingerprint("app-1") is None


def test_a_newer_state_takes_the_place_of_the_older_one(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    for fingerprint in ("1", "2", "2", "3"):
        each = memory(store)
        each.remember("app-1", fingerprint, fingerprint.encode())
        each.commit()
    assert memory(store).fingerprint("app-1") == "3"
    assert memory(store).note("app-1") == b"3"
    assert len(store.list_objects("collected/")) == 1


def test_two_collectors_at_once_leave_one_that_can_be_read(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    one, other = memory(store), memory(store)
    for each, fingerprint in ((one, "1"), (other, "2")):
        each.fingerprint("app-1")  # both have looked before any of them has written
        each.remember("app-1", fingerprint)
    one.commit()
    other.commit()
    later = memory(store)
    assert later.fingerprint("app-1") in ("1", "2")
    later.remember("app-1", "3")
    later.commit()
    assert memory(store).fingerprint("app-1") == "3"


def test_a_fingerprint_that_no_name_can_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at most 120 bytes"):
        memory(LocalObjects(tmp_path)).remember("app-1", "x" * 121)


def test_an_object_that_nobody_remembered_is_as_nothing(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    written = memory(store)
    written.remember("app-1", "1")
    written.commit()
    [item] = store.list_objects("collected/")
    store.delete(item.key)
    store.put(item.key.rpartition(".")[0] + ".%%", b"")
    assert memory(store).fingerprint("app-1") is None


@given(
    name=st.text(max_size=300) | st.just("\udcff/app"),
    fingerprint=st.text(st.characters(codec="utf-8"), max_size=30),
    content=st.binary(max_size=50),
)
def test_any_name_and_fingerprint_comes_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, fingerprint: str, content: bytes
) -> None:
    store = LocalObjects(tmp_path_factory.mktemp("state"))
    written = memory(store)
    written.remember(name, fingerprint, content)
    written.commit()
    assert memory(store).fingerprint(name) == fingerprint
    assert memory(store).note(name) == (content or None)
