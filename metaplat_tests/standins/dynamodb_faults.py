"""Faults of DynamoDB that moto never shows: throttling, refusals, batches left undone."""

from __future__ import annotations

import json
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from metaplat.stores.dynamodb_client import dynamodb_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metaplat.settings import HotSettings

ALWAYS = 10**9


@contextmanager
def handling(settings: HotSettings, event: str, handler: Callable[..., Any]) -> Iterator[None]:
    """Register ``handler`` for an event of the store's own client, like ``after-call.dynamodb.PutItem``."""
    events = dynamodb_client(settings).meta.events
    events.register(event, handler)
    try:
        yield
    finally:
        events.unregister(event, handler)


@contextmanager
def counting(settings: HotSettings) -> Iterator[dict[str, int]]:
    """Count requests by operation."""
    counts: dict[str, int] = {}

    def count(model: Any, **_: Any) -> None:
        counts[model.name] = counts.get(model.name, 0) + 1

    with handling(settings, "before-call.dynamodb", count):
        yield counts


@contextmanager
def answering(
    settings: HotSettings, operation: str, status: int, code: str, times: int = ALWAYS
) -> Iterator[list[str]]:
    """Answer the first ``times`` requests of ``operation`` with an error; lists what was answered."""
    from botocore.awsrequest import AWSResponse, HeadersDict

    answered: list[str] = []

    def answer(request: Any, **_: Any) -> Any:
        if len(answered) >= times:
            return None
        answered.append(code)
        body = json.dumps(
            {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "Told so."}
        ).encode()
        raw = BytesIO(body)
        raw.stream = lambda *_, **__: iter([body])  # type: ignore[attr-defined]
        headers: Any = HeadersDict({"content-type": "application/x-amz-json-1.0"})
        return AWSResponse(request.url, status, headers, raw)

    with handling(settings, f"before-send.dynamodb.{operation}", answer):
        yield answered


@contextmanager
def leaving_undone(settings: HotSettings, times: int = ALWAYS) -> Iterator[list[int]]:
    """Let the first ``times`` batches of writes leave their last item undone; lists the sizes of batches.

    The item is written all the same, which only makes the test stricter about counting.
    """
    sizes: list[int] = []

    def remember(params: Any, context: Any, **_: Any) -> None:
        context["requests"] = params["RequestItems"]
        sizes.append(sum(map(len, params["RequestItems"].values())))
        context["number"] = len(sizes)

    def leave(parsed: Any, context: Any, **_: Any) -> None:
        if context["number"] <= times:
            parsed["UnprocessedItems"] = {table: items[-1:] for table, items in context["requests"].items()}

    with (
        handling(settings, "provide-client-params.dynamodb.BatchWriteItem", remember),
        handling(settings, "after-call.dynamodb.BatchWriteItem", leave),
    ):
        yield sizes
