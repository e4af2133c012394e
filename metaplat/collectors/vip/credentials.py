"""The credentials of the lake: from the settings, or from a secret in AWS Secrets Manager.

Here: where they come from, and how long they are kept.
Not here: the token they are changed for (``token``); opening the store that the AWS keys are for
(``stores.deliveries``).
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from metaplat.model.errors import SettingsError
from metaplat.stores.aws_client import aws_client, aws_failures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metaplat.settings.vip import VipSettings
    from metaplat.stores.deliveries import DeliveryKeys

FROM_SETTINGS = "METAPLAT_VIP__CLIENT_ID and METAPLAT_VIP__CLIENT_SECRET"
HOW = f"Set {FROM_SETTINGS}, or name a secret of AWS Secrets Manager by METAPLAT_VIP__SECRET_ID."


@dataclass(frozen=True)
class ClientPair:
    """What the API knows its client by.

    Parameters
    ----------
    client_id, client_secret : SecretStr
        Neither is empty.
    """

    client_id: SecretStr
    client_secret: SecretStr


class VipCredentials:
    """The credentials, read when they are first asked for and again after ``credentials_seconds``.

    Safe to use in all threads. Nothing of them is in its ``repr``.

    Parameters
    ----------
    settings : VipSettings
        ``client_id`` and ``client_secret`` of the settings come first; what is not there is taken from the
        secret ``secret_id``.
    """

    def __init__(self, settings: VipSettings) -> None:
        self._settings = settings
        self._reading = threading.Lock()
        self._secret: Mapping[str, Any] | None = None
        self._read_at = 0.0

    def __repr__(self) -> str:
        return f"VipCredentials(from {self.source})"

    @property
    def source(self) -> str:
        """Where they come from, for messages."""
        if self._settings.client_id and self._settings.client_secret:
            return FROM_SETTINGS
        return f"secret {self._settings.secret_id}" if self._settings.secret_id else "nowhere"

    def client(self) -> ClientPair:
        """Return the credentials of the API.

        Raises
        ------
        SettingsError
            There are none, or the secret does not hold them.
        TransientStoreError, PermanentStoreError
            The secret cannot be read.
        """
        settings = self._settings
        given = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        fields = {
            "client_id": settings.secret_client_id_field,
            "client_secret": settings.secret_client_secret_field,
        }
        missing = [key for key in given if not _plain(given[key])]
        if missing and not settings.secret_id:
            raise SettingsError(f"vip.{' and vip.'.join(missing)}", "the API cannot be asked without", HOW)
        pair = {
            key: self._required(f"secret_{key}_field", fields[key]) if key in missing else _secret(value)
            for key, value in given.items()
        }
        return ClientPair(**pair)

    def delivery_keys(self) -> DeliveryKeys | None:
        """Return bucket and AWS keys of the secret; None where the settings do not ask for them.

        Raises
        ------
        SettingsError
            ``target_from_secret`` is set, and there is no secret, no bucket in it, or half a pair of keys.
        TransientStoreError, PermanentStoreError
            The secret cannot be read.
        """
        from metaplat.stores.deliveries import DeliveryKeys

        settings = self._settings
        if not settings.target_from_secret:
            return None
        if not settings.secret_id:
            problem = "there is no secret to take the bucket from"
            raise SettingsError(
                "vip.target_from_secret", problem, "Set METAPLAT_VIP__SECRET_ID, or unset it."
            )
        bucket = self._required("secret_bucket_field", settings.secret_bucket_field).get_secret_value()
        access = _secret(self._fields().get(settings.secret_access_key_field))
        secret = _secret(self._fields().get(settings.secret_secret_key_field))
        if _plain(access) and _plain(secret):
            return DeliveryKeys(bucket, access, secret)
        if _plain(access) or _plain(secret):
            problem = "the secret holds one of the two AWS keys and not the other"
            raise SettingsError("vip.secret_id", problem, "Give it both, or none to follow the AWS chain.")
        return DeliveryKeys(bucket, None, None)

    def forget(self) -> None:
        """Read the secret again when it is asked for next: it may have been rotated."""
        with self._reading:
            self._secret = None

    def _required(self, key: str, field: str) -> SecretStr:
        """Return one field of the secret; ``key`` is the setting that says how it is called."""
        value = _secret(self._fields().get(field))
        if not _plain(value):
            problem = f"secret {self._settings.secret_id} has no text under {field!r}"
            raise SettingsError(f"vip.{key}", problem, "Correct the name of the field, or the secret.")
        return value

    def _fields(self) -> Mapping[str, Any]:
        with self._reading:
            old = time.monotonic() - self._read_at > self._settings.credentials_seconds
            if self._secret is None or old:
                self._secret = _read(self._settings)
                self._read_at = time.monotonic()
            return self._secret


def _read(settings: VipSettings) -> Mapping[str, Any]:
    """Read the JSON object that is the secret."""
    name = str(settings.secret_id)
    advice = "Check vip.secret_id and vip.secret_region."
    with aws_failures("AWS Secrets Manager", f"read secret {name}", advice):
        answer = aws_client("secretsmanager", _region(settings)).get_secret_value(SecretId=name)
    fields = _parsed(answer.get("SecretString") or answer.get("SecretBinary") or "")
    if fields is None:
        raise SettingsError(
            "vip.secret_id", f"secret {name} is no JSON object", "Store one, or name another."
        )
    return fields


def _parsed(text: str | bytes) -> Mapping[str, Any] | None:
    """Return the object that ``text`` is; the error of the parser holds all of it, so it ends here."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _region(settings: VipSettings) -> str:
    """Return the region of the secret: as set, as its ARN says, as the AWS chain says."""
    from boto3.session import Session

    parts = str(settings.secret_id).split(":")
    of_arn = parts[3] if parts[0] == "arn" and len(parts) > 3 else ""  # arn:aws:secretsmanager:region:...
    with aws_failures("AWS Secrets Manager", "find the region"):
        region = settings.secret_region or of_arn or Session().region_name
    if not region:
        raise SettingsError("vip.secret_region", "the AWS chain names no region either", "Set one of them.")
    return region


def _secret(value: object) -> SecretStr:
    """Return a value as a secret, without blanks around it: files of secrets tend to end with a new line."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return SecretStr(text.strip() if isinstance(text, str) else "")


def _plain(value: SecretStr | None) -> str:
    return value.get_secret_value().strip() if value else ""
