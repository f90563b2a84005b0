"""Tell people: by mail, by a webhook, or both, as `config/notify.yml` says. Each cause once, and when it is over.

What cannot be told never fails the run that it is about; it is tried again with the next notice of the cause.
"""

import json
import logging
import smtplib
import ssl
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ingestion import ledger
from ingestion.config import Login, Settings
from ingestion.errors import ConfigError, ContractError
from ingestion.user_config.load import folder_of
from ingestion.yaml_file import Strict, load_model

FILE = "notify.yml"
SECONDS = 20.0
LOCAL = ("127.0.0.1", "localhost", "::1")
# Login and key behind the id of a connection; null where there is none.
LoginOf: TypeAlias = Callable[[str], Login | None]
log = logging.getLogger(__name__)


class Mail(Strict):
    """A mail server. A login is that of an Airflow connection, never in this file."""

    host: str = Field(description="Name of the server.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    starttls: bool = Field(default=True, description="Whether the connection is encrypted before anything is said.")
    connection: str | None = Field(default=None, description="Airflow connection with login and password.")
    sender: str = Field(description="Address that mails are from.")
    to: tuple[str, ...] = Field(min_length=1, description="Addresses that they go to.")

    @model_validator(mode="after")
    def _is_safe(self) -> "Mail":
        if not self.starttls and self.connection and self.host not in LOCAL:
            raise ValueError("a password would cross the network unencrypted; leave starttls on")
        return self


class Webhook(Strict):
    """An address that takes JSON with a key `text`, as chats do."""

    url: str | None = Field(default=None, description="The address, where it holds no secret.")
    connection: str | None = Field(default=None, description="Airflow connection whose password is the whole address.")

    @field_validator("url")
    @classmethod
    def _is_https(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://x")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
            raise ValueError("write an address as https://hooks.example.org/x")
        return value

    @model_validator(mode="after")
    def _one(self) -> "Webhook":
        if (self.url is None) == (self.connection is None):
            raise ValueError("say url, or connection where the address is a secret")
        return self


class Channels(Strict):
    """Who is told."""

    mail: Mail | None = None
    webhook: Webhook | None = None


def load_channels(settings: Settings) -> Channels:
    """Who is told; nobody where the file is not there. Raises ConfigError with file, line and remedy."""
    folder = folder_of(settings)
    path = folder / FILE if folder else Path(FILE)
    if folder is None or not path.exists() or not _says_anything(path):
        return Channels()
    try:
        return load_model(Channels, path)
    except ContractError as error:
        raise ConfigError(f"{path.parent}/{error}") from error


def _says_anything(path: Path) -> bool:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return any(line.strip() and not line.lstrip().startswith("#") for line in lines)


def tell(settings: Settings, login_of: LoginOf, cause: str, subject: str, text: str) -> bool:
    """Tell people of a cause, unless they know; returns whether they were told now."""
    if _nobody(settings, subject):
        return False
    with ledger.read(settings) as connection:
        if ledger.is_told(connection, cause):
            return False
    if not _send(settings, login_of, subject, text):
        return False
    with ledger.write(settings) as connection:
        ledger.record_notice(connection, cause, subject)
    return True


def tell_end(settings: Settings, login_of: LoginOf, kind: str, subject: str, text: str) -> bool:
    """Tell people that causes that begin alike are over, where they know of any; returns whether they were told."""
    if _nobody(settings, subject):
        return False
    with ledger.read(settings) as connection:
        known = ledger.open_notices(connection, kind)
    if not known:
        return False
    listed = "\n".join(f"- {each}" for each in known)
    if not _send(settings, login_of, subject, f"{text}\n\nOver with it:\n{listed}"):
        return False
    with ledger.write(settings) as connection:
        ledger.end_notices(connection, kind)
    return True


def _send(settings: Settings, login_of: LoginOf, subject: str, text: str) -> bool:
    """Use every channel; returns whether one of them took it."""
    channels = load_channels(settings)
    subject = " ".join(subject.split())[:200]
    taken = False
    senders: dict[str, Callable[[LoginOf, str, str], None]] = {}
    if channels.mail:
        senders["mail"] = partial(_mail, channels.mail)
    if channels.webhook:
        senders["webhook"] = partial(_post, channels.webhook)
    for name, send in senders.items():
        try:
            send(login_of, subject, text)
            taken = True
        except Exception as error:
            # The name of the error alone: its text may hold an address that is a secret.
            log.error("%s: nobody is told of %r (%s)", name, subject, type(error).__name__)
    return taken


def _nobody(settings: Settings, subject: str) -> bool:
    """Whether there is nobody to tell, or the file that names them is not in order; said in the log."""
    try:
        if load_channels(settings) != Channels():
            return False
    except ContractError as error:
        log.error("nobody is told of %r: %s", subject, error)
        return True
    log.info("nobody is told of %r: config/%s is not there", subject, FILE)
    return True


def _mail(mail: Mail, login_of: LoginOf, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, ", ".join(mail.to), f"Groundswell: {subject}"
    message.set_content(text)
    with smtplib.SMTP(mail.host, mail.port, timeout=SECONDS) as server:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if mail.connection:
            login = login_of(mail.connection)
            if login is None:
                raise ContractError(f"no connection {mail.connection!r}")
            server.login(login.login, login.key)
        server.send_message(message)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook answers; it does not send its text elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(webhook: Webhook, login_of: LoginOf, subject: str, text: str) -> None:
    login = login_of(webhook.connection) if webhook.connection else None
    address = webhook.url or (login.key if login else None)
    if not address:
        raise ContractError(f"no connection {webhook.connection!r}")
    body = json.dumps({"text": f"Groundswell: {subject}\n{text}", "subject": subject}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
        answer.read(1024)
