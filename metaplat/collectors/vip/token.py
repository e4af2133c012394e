"""The token that calls of the API are made with.

Here: changing credentials for a token, keeping it until shortly before its end.
Not here: where credentials come from (``credentials``), calls made with the token (``client``).
OAuth 2.0, client credentials grant: RFC 6749, section 4.4.
"""

from __future__ import annotations

import asyncio
import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from metaplat.collectors.vip.call import BAD_REQUEST, UNAUTHORIZED, Content
from metaplat.collectors.vip.json_answers import value_of
from metaplat.collectors.vip.refusals import document_of, refusal, told, unreadable, vendor_message
from metaplat.collectors.vip.retrying import patiently
from metaplat.model.errors import PermanentSourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from metaplat.collectors.vip.call import Answer, Call
    from metaplat.collectors.vip.credentials import ClientPair, VipCredentials
    from metaplat.collectors.vip.exchange import Exchange
    from metaplat.model.errors import SourceError
    from metaplat.settings.vip import VipSettings

TOKEN = re.compile(r"[!-~]{1,16384}", re.ASCII)
"""What a header can hold."""
LONGEST_SECONDS = 10 * 366 * 86400.0
"""A validity beyond is none that one could count with."""


class Tokens:
    """The one token in use.

    Parameters
    ----------
    exchange : Exchange
        Where it is asked for.
    call : Call
        How.
    credentials : VipCredentials
        What it is asked with.
    settings : VipSettings
        Scope, names of fields, margin.
    clock : callable
        Now, as aware UTC.
    """

    def __init__(
        self,
        exchange: Exchange,
        call: Call,
        credentials: VipCredentials,
        settings: VipSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._exchange, self._call, self._credentials = exchange, call, credentials
        self._settings, self._clock = settings, clock
        self._asking = asyncio.Lock()
        self._token: SecretStr | None = None
        self._renew_at: datetime | None = None

    async def current(self) -> SecretStr:
        """Return a token that is valid for a while, asking for one where there is none.

        Raises
        ------
        TransientSourceError, PermanentSourceError
            There is none to be had.
        SettingsError, TransientStoreError, PermanentStoreError
            There are no credentials, or they cannot be read.
        """
        async with self._asking:
            if self._token is None or (self._renew_at is not None and self._clock() >= self._renew_at):
                self._token = await patiently(self._ask, self._settings)
            return self._token

    async def client(self) -> ClientPair:
        """Return the credentials; raises what reading them raises."""
        pair = await asyncio.to_thread(self._credentials.client)
        self._exchange.remember(pair.client_id, pair.client_secret)
        return pair

    async def forget(self, token: SecretStr | None = None) -> None:
        """Read the credentials again, and ask for a token again where ``token`` (None: any) is in use."""
        async with self._asking:
            self._credentials.forget()
            if token is None or self._token == token:
                self._token = None

    async def _ask(self) -> SecretStr:
        pair = await self.client()
        answer = await self._answer(pair)
        if answer.status in {BAD_REQUEST, UNAUTHORIZED}:
            self._credentials.forget()  # they may have been rotated since they were read
            rotated = await self.client()
            answer = answer if rotated == pair else await self._answer(rotated)
        if not answer.is_success:
            raise self._refusal(answer)
        return self._read(answer)

    async def _answer(self, pair: ClientPair) -> Answer:
        form: dict[str, str | SecretStr] = {
            "grant_type": "client_credentials",
            "scope": self._settings.scope,
            "client_id": pair.client_id,
            "client_secret": pair.client_secret,
        }
        return await self._exchange.send(self._call, Content(form=form))

    def _refusal(self, answer: Answer) -> SourceError:
        message = vendor_message(answer, self._settings, self._exchange)
        if answer.status not in {BAD_REQUEST, UNAUTHORIZED}:
            return refusal(answer, message, self._clock())
        advice = f"Check the credentials, which come from {self._credentials.source}, and vip.scope."
        return PermanentSourceError(self._call.system, self._call.attempted, told(answer, message), advice)

    def _read(self, answer: Answer) -> SecretStr:
        """Return the token of an answer, and note when it ends."""
        settings = self._settings
        document = document_of(answer, "max_answer_kb", settings)
        text = value_of(document, settings.access_token_field)
        if not isinstance(text, str) or not TOKEN.fullmatch(text.strip()):
            raise unreadable(answer, f"holds no token under {settings.access_token_field!r}")
        token = SecretStr(text.strip())
        self._exchange.remember(token)
        seconds = _seconds(value_of(document, settings.expires_in_field))
        margin = settings.token_margin_seconds
        self._renew_at = None if seconds is None else self._clock() + timedelta(seconds=seconds - margin)
        return token


def _seconds(value: object) -> float | None:
    """Return a validity; None where none is told: then the token is kept until it is refused."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = float(value[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= LONGEST_SECONDS else None
