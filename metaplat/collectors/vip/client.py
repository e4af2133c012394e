"""The API of the lake: start an export, ask how its job stands, ask for the list of its files.

Here: the three calls, and what their answers mean for a job.
Not here: which hour is exported, waiting and polling (``vip.pulling``); fetching files (``download``).
No answer of the vendor is documented: every field, word and address is a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from metaplat.collectors.vip.api_calls import api_calls
from metaplat.collectors.vip.call import (
    ACCEPTED,
    BAD_REQUEST,
    CONFLICT,
    NO_CONTENT,
    NOT_FOUND,
    UNAUTHORIZED,
    Content,
)
from metaplat.collectors.vip.errors import TooEarlyError, UnknownJobError
from metaplat.collectors.vip.exchange import Exchange
from metaplat.collectors.vip.file_list import listed_files
from metaplat.collectors.vip.json_answers import value_of
from metaplat.collectors.vip.refusals import document_of, refusal, told, unreadable, vendor_message
from metaplat.collectors.vip.retrying import PassingError, patiently
from metaplat.collectors.vip.token import Tokens
from metaplat.collectors.vip.too_early import is_too_early, next_slot, says_too_early
from metaplat.model.errors import InvalidInputError, PermanentSourceError, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from pydantic import SecretStr

    from metaplat.collectors.vip.call import Answer, Call
    from metaplat.collectors.vip.credentials import VipCredentials
    from metaplat.collectors.vip.signed_file import SignedFile
    from metaplat.model.errors import SourceError
    from metaplat.settings.vip import VipSettings

LONGEST_GUID = 200
LONGEST_WORD = 100
OUTCOME_UNKNOWN = "so whether the job was accepted is not known"
ASK_AGAIN = "Pull again within the hour: if it was, the vendor answers that it is too early."


class JobPhase(StrEnum):
    """Whether a job has come to an end."""

    RUNNING = "running"
    """It has not; a word that nobody knows means that, too."""
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True)
class JobState:
    """How a job stands.

    Parameters
    ----------
    word : str
        The vendor's word for it.
    phase : JobPhase
        What it means.
    """

    word: str
    phase: JobPhase


@dataclass(frozen=True)
class Accepted:
    """An export that was accepted.

    Parameters
    ----------
    job_guid : str
        The vendor's job.
    server_time : datetime or None
        The vendor's clock when it answered, aware UTC; None where the answer does not say.
    """

    job_guid: str
    server_time: datetime | None


class VipClient:
    """The API, while its ``async with`` block lasts.

    Parameters
    ----------
    settings : VipSettings
        Everything about the API.
    credentials : VipCredentials
        Read when the first call is made.
    clock : callable
        Now, as aware UTC: for the end of a token, and for the next slot.

    Raises
    ------
    SettingsError
        An address or the company is missing or wrong; better known before an export than after it.
    """

    def __init__(
        self, settings: VipSettings, credentials: VipCredentials, clock: Callable[[], datetime]
    ) -> None:
        self._settings, self._clock = settings, clock
        self._calls = api_calls(settings)
        self._exchange = Exchange(settings)
        self._tokens = Tokens(self._exchange, self._calls.token, credentials, settings, clock)

    async def __aenter__(self) -> VipClient:
        await self._exchange.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exchange.__aexit__(kind, error, trace)

    async def authorize(self) -> None:
        """Get a token now, unless there is one: so that a later call is no slower than itself.

        Raises
        ------
        SettingsError
            There are no credentials.
        TransientSourceError, PermanentSourceError
            There is no answer, or a refusal.
        """
        await patiently(self._tokens.current, self._settings)

    async def export(self) -> Accepted:
        """Ask for an export; the vendor accepts one in an hour.

        It is tried again only where the request cannot have reached the server.

        Raises
        ------
        TooEarlyError
            The vendor names a later time, or says no more than that.
        TransientSourceError
            The vendor cannot be reached; or the answer is lost or no answer, and the text says that the
            outcome is not known.
        PermanentSourceError
            Refused: an unknown configuration, no permission, a wrong address.
        """
        return await patiently(self._export, self._settings)

    async def job_status(self, job_guid: str) -> JobState:
        """Return how a job stands.

        Raises
        ------
        UnknownJobError
            The vendor does not know it.
        TransientSourceError, PermanentSourceError
            There is no answer, or a refusal.
        """
        return await patiently(lambda: self._job_status(job_guid), self._settings)

    async def files(self, job_guid: str) -> list[SignedFile]:
        """Return the files of a job with their addresses; none as long as there is no list.

        An entry that cannot be used is among them, with the reason under ``problem``.

        Raises
        ------
        TransientSourceError
            There is no answer, or it is no list of files.
        PermanentSourceError
            Refused, or longer than allowed.
        """
        return await patiently(lambda: self._files(job_guid), self._settings)

    async def _export(self) -> Accepted:
        call = self._calls.export
        document = {self._settings.config_name_field: self._settings.config}
        try:
            answer = await self._with_token(call, document)
            if not answer.is_success:
                raise self._export_refusal(answer)
            return self._accepted(answer)
        except PassingError as error:
            if not error.may_have_arrived:
                raise
            lost = f"{error.answer}, {OUTCOME_UNKNOWN}"
        raise TransientSourceError(call.system, call.attempted, lost, ASK_AGAIN)

    def _accepted(self, answer: Answer) -> Accepted:
        """Return the job of a successful answer."""
        if answer.content is None:
            raise unreadable(answer, f"is longer than {answer.call.largest_bytes:,} bytes")
        document = document_of(answer, "max_answer_kb", self._settings)
        guid = value_of(document, self._settings.job_guid_field)
        if isinstance(guid, str) and 0 < len(guid.strip()) <= LONGEST_GUID and guid.strip().isprintable():
            return Accepted(guid.strip(), answer.server_time)
        message = self._message(answer)
        if says_too_early(message, self._settings):
            raise self._too_early(answer, message)
        raise unreadable(answer, f"names no job under {self._settings.job_guid_field!r}")

    def _export_refusal(self, answer: Answer) -> SourceError:
        message = self._message(answer)
        if is_too_early(answer.status, message, self._settings):
            return self._too_early(answer, message)
        if answer.status == BAD_REQUEST:
            call, advice = answer.call, "Check vip.config_name and vip.environment."
            return PermanentSourceError(call.system, call.attempted, told(answer, message), advice)
        return refusal(answer, message, self._clock())

    def _too_early(self, answer: Answer, message: str | None) -> TooEarlyError:
        slot = next_slot(message, answer.retry_after, self._clock(), self._settings)
        advice = f"Ask again from {slot:%Y-%m-%d %H:%M:%S} UTC on." if slot else "Ask again a little later."
        return TooEarlyError(answer.call.system, answer.call.attempted, told(answer, message), advice, slot)

    async def _job_status(self, job_guid: str) -> JobState:
        settings = self._settings
        answer = await self._with_token(self._calls.status, {settings.status_request_field: job_guid})
        if answer.status == NOT_FOUND:
            call, message = answer.call, self._message(answer)
            advice = f"Check {call.keys}, and whether the job is of the same environment."
            raise UnknownJobError(call.system, call.attempted, told(answer, message), advice)
        if not answer.is_success:
            raise refusal(answer, self._message(answer), self._clock())
        word = value_of(document_of(answer, "max_answer_kb", settings), settings.status_field)
        if isinstance(word, bool) or not isinstance(word, str | int) or not str(word).strip():
            raise unreadable(answer, f"tells no status under {settings.status_field!r}")
        return self._state(str(word))

    def _state(self, word: str) -> JobState:
        printable = "".join(sign if sign.isprintable() else " " for sign in word[: 4 * LONGEST_WORD])
        shown = self._exchange.hide(" ".join(printable.split()))[:LONGEST_WORD]
        if _bare(word) in map(_bare, self._settings.complete_words):
            return JobState(shown, JobPhase.COMPLETE)
        failed = _bare(word) in map(_bare, self._settings.failed_words)
        return JobState(shown, JobPhase.FAILED if failed else JobPhase.RUNNING)

    async def _files(self, job_guid: str) -> list[SignedFile]:
        answer = await self._list_answer(job_guid)
        if answer.status == UNAUTHORIZED:
            answer = await self._list_answer(job_guid, refused=True)
        if answer.status in {ACCEPTED, CONFLICT, NO_CONTENT}:  # the list is not ready
            return []
        if not answer.is_success:
            raise refusal(answer, self._message(answer), self._clock())
        self._refuse_too_many(answer)
        try:
            return listed_files(document_of(answer, "max_manifest_mb", self._settings), self._settings)
        except InvalidInputError as error:
            raise unreadable(answer, str(error)) from None

    async def _list_answer(self, job_guid: str, *, refused: bool = False) -> Answer:
        """Ask for the list; ``refused`` says that the token of before was refused."""
        settings = self._settings
        if refused:
            await self._tokens.forget()
        query: Mapping[str, str | SecretStr] = {
            settings.api_token_parameter: await self._api_token(),
            settings.environment_parameter: settings.environment,
            settings.job_parameter: job_guid,
            settings.file_filter_parameter: settings.file_filter,
            settings.hide_metadata_parameter: settings.hide_metadata,
            settings.expiration_parameter: str(settings.url_minutes),
        }
        return await self._exchange.send(self._calls.files, Content(query=query))

    async def _api_token(self) -> SecretStr:
        if self._settings.api_token == "access_token":  # noqa: S105  # the name of a choice
            return await self._tokens.current()
        return (await self._tokens.client()).client_secret

    def _refuse_too_many(self, answer: Answer) -> None:
        """Refuse a list of more entries than a job may have before it is parsed: entries take memory."""
        content = answer.content or b""
        if content.count(b"{") + content.count(b"[") > 2 * self._settings.max_files + 100:
            call, problem = answer.call, f"HTTP {answer.status}, and the answer holds far too many entries"
            advice = "Where that is right, raise vip.max_files."
            raise PermanentSourceError(call.system, call.attempted, problem, advice)

    async def _with_token(self, call: Call, document: Mapping[str, str]) -> Answer:
        """Make a call with a token, and once more with another one where that is refused."""
        token = await self._tokens.current()
        answer = await self._exchange.send(call, Content(bearer=token, document=document))
        if answer.status != UNAUTHORIZED:
            return answer
        await self._tokens.forget(token)
        token = await self._tokens.current()
        return await self._exchange.send(call, Content(bearer=token, document=document))

    def _message(self, answer: Answer) -> str | None:
        return vendor_message(answer, self._settings, self._exchange)


def _bare(word: str) -> str:
    """Return letters and digits of a status: ``Timed Out`` is ``TimedOut``."""
    return "".join(filter(str.isalnum, word)).casefold()
