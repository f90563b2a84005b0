"""People are told once of a cause and once of its end, by a mail server and a webhook on 127.0.0.1."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from pytest_httpserver import HTTPServer
from werkzeug import Response

from ingestion.config import Login, Settings
from ingestion.errors import ConfigError
from warehouse.notify import load_channels, tell, tell_end

SECRET = "s3cret-of-a-test"


class Box:
    """What the mail server took."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[Box, int]]:
    box = Box()

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data.password == SECRET.encode())

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, authenticator=login, auth_require_tls=False)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "config").mkdir()
    return Settings(_env_file=None, data=tmp_path / "data", config=tmp_path / "config")  # type: ignore[call-arg]


def configure(settings: Settings, text: str) -> None:
    assert settings.config is not None
    (settings.config / "notify.yml").write_text(text)


def login_of(connection: str) -> Login | None:
    return Login("anna", SECRET) if connection == "smtp" else None


def test_a_cause_is_told_once_and_its_end_once(
    settings: Settings, mail: tuple[Box, int], httpserver: HTTPServer
) -> None:
    box, port = mail
    httpserver.expect_request("/hook", method="POST").respond_with_json({})
    configure(
        settings,
        f"mail:\n  host: 127.0.0.1\n  port: {port}\n  starttls: false\n  connection: smtp\n  sender: g@example.org\n"
        f"  to: [a@example.org, b@example.org]\nwebhook:\n  url: {httpserver.url_for('/hook')}\n",
    )
    assert not tell_end(settings, login_of, "nightly/", "well again", "x")
    assert tell(settings, login_of, "nightly/r1", "the gate is closed", "Failed checks:\n- landing.a: observed 0")
    assert not tell(settings, login_of, "nightly/r1", "the gate is closed", "a retry")
    assert tell(settings, login_of, "nightly/r2", "late\r\nBcc: x@example.org", "y")
    assert not tell_end(settings, login_of, "capture/", "well again", "x")
    assert tell_end(settings, login_of, "nightly/", "well again", "x")
    assert not tell_end(settings, login_of, "nightly/", "well again", "x")
    # What comes back after its end is told again.
    assert tell(settings, login_of, "nightly/r1", "the gate is closed", "z")
    subjects = [text.partition("Subject: ")[2].partition("\r\n")[0] for _, text in box.mails]
    assert subjects == [
        "Groundswell: the gate is closed", "Groundswell: late Bcc: x@example.org", "Groundswell: well again", "Groundswell: the gate is closed",
    ]  # fmt: skip
    assert box.mails[0][0] == ["a@example.org", "b@example.org"]
    assert "- landing.a: observed 0" in box.mails[0][1]
    assert "- the gate is closed" in box.mails[2][1]
    assert [request.get_json()["subject"] for request, _ in httpserver.log] == [subject[13:] for subject in subjects]


def test_what_nobody_took_is_told_with_the_next(
    settings: Settings, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """And fails nothing; the address, which is a secret, stands in no log."""
    address = httpserver.url_for(f"/{SECRET}")
    configure(settings, "webhook: {connection: hook}\n")
    caplog.set_level(logging.DEBUG, "warehouse.notify")
    answers = iter([Response("no", 500), Response("", 307, {"Location": httpserver.url_for("/other")}), Response("ok")])
    httpserver.expect_request(f"/{SECRET}").respond_with_handler(lambda _: next(answers))
    for told in (False, False, True, False):
        assert tell(settings, lambda _: Login("", address), "c", "s", "t") is told
    assert [request.path for request, _ in httpserver.log] == [f"/{SECRET}"] * 3
    assert not any(SECRET in record.getMessage() for record in caplog.records if record.name == "warehouse.notify")
    assert not tell(settings, lambda _: None, "d", "s", "t")


def test_nobody_to_tell_is_no_error(settings: Settings) -> None:
    assert not tell(settings, login_of, "c", "s", "t")
    configure(settings, "# mail:\n")
    assert not tell(settings, login_of, "c", "s", "t")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mail: {host: a, sender: b}", "notify.yml: line 1: mail.to"),
        ("mail:\n  host: a.example\n  sender: b\n  to: [c]\n  starttls: false\n  connection: k", "unencrypted"),
        ("webhook: {url: 'http://a.example/x'}", "write an address as https"),
        ("webhook: {url: 'https://a.example/x', connection: k}", "say url, or connection"),
        ("mail: {host: a, sender: b, to: [c], password: p}", "unknown key"),
    ],
)
def test_what_is_wrong_with_the_file_is_named(settings: Settings, text: str, said: str) -> None:
    configure(settings, text)
    with pytest.raises(ConfigError, match=said):
        load_channels(settings)
    assert not tell(settings, login_of, "c", "s", "t")
