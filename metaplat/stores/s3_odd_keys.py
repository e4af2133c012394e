"""Objects whose keys obstore does not accept, read by boto3.

Here: which keys these are (an empty, ``.`` or ``..`` part, a control character), and slow but exact access to
them. Whoever lands objects may name one like this, and one such key makes obstore refuse to list its whole
folder; it must neither be lost nor stop the others.
Not here: writing (``check_key`` refuses such keys).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from metaplat.model.errors import TransientStoreError
from metaplat.model.landed import ObjectInfo
from metaplat.stores.s3_client import endpoint_of, region_of, split_address
from metaplat.stores.s3_errors import error_of_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

    from metaplat.settings import S3Settings
    from metaplat.stores.s3_client import AccessKeys

_ODD = re.compile(r"\A\Z|\A/|/\Z|//|(?:\A|/)\.{1,2}(?:/|\Z)|[\x00-\x1f\x7f]")


def is_odd(key: str) -> bool:
    """Whether obstore would refuse ``key``, or take it for another one."""
    return _ODD.search(key) is not None


@dataclass(frozen=True)
class OddKeys:
    """Access by boto3 to what is below ``address``."""

    address: str
    system: str
    settings: S3Settings
    keys: AccessKeys | None = None

    @cached_property
    def _client(self) -> BaseClient:
        import boto3
        from botocore.config import Config

        return boto3.client(  # type: ignore[no-any-return,unused-ignore]
            "s3",
            endpoint_url=endpoint_of(self.settings),
            region_name=region_of(self.settings),
            aws_access_key_id=self.keys.access_key.get_secret_value() if self.keys else None,
            aws_secret_access_key=self.keys.secret_key.get_secret_value() if self.keys else None,
            config=Config(
                connect_timeout=2,
                read_timeout=self.settings.timeout_seconds,
                retries={"total_max_attempts": self.settings.retries + 1, "mode": "standard"},
                s3={"addressing_style": "path"},
            ),
        )

    def list_objects(self, prefix: str) -> list[ObjectInfo]:
        """Return the objects whose key starts with ``prefix``, without markers of folders."""
        bucket, root = split_address(self.address)
        start = f"{root}/" if root else ""
        pages = self._ask(
            f"list {prefix!r}",
            lambda client: list(
                client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=start + prefix)
            ),
        )
        return [
            ObjectInfo(item["Key"][len(start) :], item["Size"], item["LastModified"], item["ETag"].strip('"'))
            for page in pages
            for item in page.get("Contents", [])
            if item["Size"] or not item["Key"].endswith("/")
        ]

    def list_folders(self, prefix: str) -> list[str]:
        """Return the folders directly below a prefix ending in ``/``, each with a slash at the end."""
        bucket, root = split_address(self.address)
        start = f"{root}/" if root else ""
        place = {"Bucket": bucket, "Prefix": start + prefix, "Delimiter": "/"}
        pages = self._ask(
            f"list {prefix!r}",
            lambda client: list(client.get_paginator("list_objects_v2").paginate(**place)),
        )
        return [item["Prefix"][len(start) :] for page in pages for item in page.get("CommonPrefixes", [])]

    def get(self, key: str, max_bytes: int | None) -> bytes | None:
        """Return the content, or None where the object is gone or larger than ``max_bytes``."""

        def read(client: Any) -> bytes | None:
            answer = client.get_object(**self._place(key))
            too_large = max_bytes is not None and answer["ContentLength"] > max_bytes
            return None if too_large else answer["Body"].read()

        found: bytes | None = self._ask(f"read {key!r}", read)
        return found

    def info(self, key: str) -> ObjectInfo | None:
        """Return size, time and etag, or None."""
        found = self._ask(f"look up {key!r}", lambda client: client.head_object(**self._place(key)))
        if found is None:
            return None
        return ObjectInfo(key, found["ContentLength"], found["LastModified"], found["ETag"].strip('"'))

    def delete(self, key: str) -> None:
        """Remove the object."""
        self._ask(f"delete {key!r}", lambda client: client.delete_object(**self._place(key)))

    def _place(self, key: str) -> dict[str, str]:
        bucket, root = split_address(self.address)
        return {"Bucket": bucket, "Key": f"{root}/{key}" if root else key}

    def _ask(self, attempted: str, request: Callable[[Any], Any]) -> Any:
        """Run a request; None where it finds no such object."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return request(self._client)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in {"NoSuchKey", "404"}:
                return None
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            code = error.response.get("Error", {}).get("Code", "")
            raise error_of_status(self.system, attempted, status, code) from None
        except BotoCoreError as error:
            raise TransientStoreError(
                self.system, attempted, type(error).__name__, "Check the endpoint and the AWS credentials."
            ) from None
