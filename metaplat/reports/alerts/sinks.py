"""Where alerts go: SNS topics, and whatever Apprise knows (Slack, mail, Teams, a webhook).

Here: the sinks and how settings name them. Not here: who is told what (``due``), time limits (``sending``).
The address of a sink is a secret: of it, nothing but the scheme is ever shown, and nothing is logged.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from metaplat.model.errors import MissingExtraError, SettingsError, TransientSourceError
from metaplat.reports.alerts.due import Interest
from metaplat.reports.alerts.quiet import keep_quiet, warnings_of_apprise
from metaplat.stores.sns import publish, region_of_topic

if TYPE_CHECKING:
    from metaplat.reports.alerts.message import Render
    from metaplat.settings import AlertSettings

SNS = "sns:"
TOPIC_SINK = "monitor.sns_topic_arn"
"""Name of the sink that ``monitor.sns_topic_arn`` makes; no sink of ``[alerts.sinks]`` needs a dot."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_STATUS = re.compile(r"\berror\s?=\s?([1-5]\d\d)\b")


class Sink(Protocol):
    """Sends one message; raises anything where it cannot."""

    def send(self, subject: str, body: str) -> None:
        """Send a subject of one line and a body of plain text."""


@dataclass(frozen=True)
class Receiver:
    """A sink, what it wants to hear of, and how it is worded (None: as everybody's).

    Parameters
    ----------
    interest : Interest
        Its name, least level and subjects.
    sink : Sink
        What sends.
    render : callable or None
        Words the message for this sink only.
    """

    interest: Interest
    sink: Sink
    render: Render | None = None

    @property
    def name(self) -> str:
        """Name of the sink."""
        return self.interest.sink


@dataclass(frozen=True)
class SnsSink:
    """An SNS topic; a wrong ARN shows when something is sent."""

    topic_arn: str

    def send(self, subject: str, body: str) -> None:
        """Publish; raises StoreError."""
        publish(self.topic_arn, subject, body)


class AppriseSink:
    """One URL of Apprise.

    Parameters
    ----------
    name : str
        Of the sink, for errors.
    url : str
        Any URL that Apprise knows.
    timeout_seconds : float
        How long one answer may take, where the URL itself does not say (``?rto=``).

    Raises
    ------
    SettingsError
        Apprise does not know such a URL.
    """

    def __init__(self, name: str, url: str, timeout_seconds: float) -> None:
        self._shown = shown_url(url)
        self._service = _apprise_service(name, url, timeout_seconds)

    def send(self, subject: str, body: str) -> None:
        """Send; raises TransientSourceError where Apprise says that it was not delivered."""
        from apprise import Apprise, NotifyFormat

        sender = Apprise(self._service, asset=self._service.asset)
        with warnings_of_apprise() as warned:
            delivered = sender.notify(body=body, title=subject, body_format=NotifyFormat.TEXT)
        if not delivered:
            advice = "Check its URL in section [alerts.sinks], and that the service is up."
            raise TransientSourceError(self._shown, "send the alerts", _answer(" ".join(warned)), advice)


def open_sinks(settings: AlertSettings) -> list[Receiver]:
    """Return the sinks of section ``[alerts]``, by name; nothing is sent or asked yet.

    Raises
    ------
    SettingsError
        A URL is neither ``sns:`` with the ARN of a topic nor one that Apprise knows; it names the sink only.
    """
    receivers = []
    for name, entry in sorted(settings.sinks.items()):
        sink = _open_sink(name, entry.url.get_secret_value().strip(), settings.timeout_seconds)
        receivers.append(Receiver(Interest(name, entry.min_severity, tuple(entry.domains)), sink))
    return receivers


def _open_sink(name: str, url: str, timeout_seconds: float) -> Sink:
    if not url.startswith(SNS) or url.startswith(f"{SNS}//"):  # Apprise has a form of its own for SNS
        return AppriseSink(name, url, timeout_seconds)
    topic_arn = url.removeprefix(SNS)
    if region_of_topic(topic_arn) is None:
        raise _wrong_url(name, "holds no ARN of an SNS topic after sns:")
    return SnsSink(topic_arn)


def topic_receiver(topic_arn: str, render: Render | None = None) -> Receiver:
    """Return the topic of the table monitor as a receiver: it hears everything of monitored tables."""
    return Receiver(Interest(TOPIC_SINK, "low", ("table_profile/*",)), SnsSink(topic_arn), render)


def shown_url(url: str) -> str:
    """Return what may be shown of the address of a sink: even the host is a secret in many of them."""
    scheme = _SCHEME.match(url)
    return f"{scheme[1].lower()}://…" if scheme else "…"


def _wrong_url(name: str, problem: str) -> SettingsError:
    advice = "Write sns:<topic arn>, or a URL as on https://appriseit.com."
    return SettingsError(f"alerts.sinks.{name}.url", problem, advice)


def _apprise_service(name: str, url: str, timeout_seconds: float) -> Any:
    try:
        from apprise import Apprise, AppriseAsset
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "apprise":
            raise
        raise MissingExtraError("sending alerts to anything but SNS", "apprise", "alerts") from error

    keep_quiet()
    # no time limit of its own: for one, Apprise would begin a thread that the end of the program waits for
    asset = AppriseAsset(app_id="metaplat", app_desc="metaplat", async_mode=False, service_timeout=0)
    with warnings.catch_warnings():  # the first URL loads every plugin, and some import what is deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        service: Any = Apprise.instantiate(url, asset=asset)
    if service is None:
        raise _wrong_url(name, "is no URL that Apprise knows")
    if service.socket_read_timeout == type(service).socket_read_timeout:
        service.socket_read_timeout = timeout_seconds
    return service


def _answer(warned: str) -> str:
    """Say why nothing was delivered: the HTTP status where Apprise names one, never its own words."""
    if status := _STATUS.search(warned):
        return f"HTTP {status[1]}"
    return "no connection, or no answer in time" if "onnection error" in warned else "not delivered"
