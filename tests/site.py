"""A started installation, as people and programs meet it."""

import json
import re
import signal
import sys
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

from tests.installation import Installation, wait_for
from tests.postgres import free_port

START = (sys.executable, "manage.py", "start")


class Site:
    """A started installation, as its terminal and its URL show it."""

    def __init__(self, installation: Installation, *arguments: str) -> None:
        self.installation = installation
        self.port = free_port()
        self.arguments = arguments
        self.start()

    def start(self) -> None:
        log = self.installation.folder / "log"
        self.before = len(self.installation.log) if log.exists() else 0
        self.process = self.installation.start(*START, "--port", str(self.port), *self.arguments)
        wait_for(lambda: "Ctrl-C" in self.output, seconds=90, what=f"the start: {self.output}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        return self.installation.log[self.before :]

    def said(self, label: str) -> str:
        found = re.search(rf"^  {label} +(.+)$", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        request = Request(f"{self.url}{path}", headers=headers)
        try:
            with urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            return error.code, json.load(error)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def stats(self) -> Any:
        token = re.search(r"Token \w+", self.said("API"))
        assert token
        status, answer = self.get("/stats", Authorization=token[0])
        assert status == 200
        return answer

    def upload(self, file: Path, source: str) -> None:
        """Upload a file as a browser without JavaScript does."""
        cookies = CookieJar()
        opener = build_opener(HTTPCookieProcessor(cookies))

        def post(path: str, data: bytes, kind: str) -> str:
            opener.open(f"{self.url}{path}").close()
            token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
            headers = {"Content-Type": kind, "X-CSRFToken": token or "", "Referer": self.url}
            with opener.open(Request(f"{self.url}{path}", data, headers)) as answer:
                return str(answer.url)

        form = urlencode({"username": self.said("Login"), "password": self.said("Password")})
        post("/login/", form.encode(), "application/x-www-form-urlencoded")
        body = (
            f'--x\r\nContent-Disposition: form-data; name="source"\r\n\r\n{source}\r\n'
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        ).encode() + file.read_bytes()
        preview = post("/upload/", body + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")
        path = preview.removeprefix(self.url)
        with opener.open(preview) as page:
            form = urlencode(answers(page.read().decode()) | {"do": "load"}, doseq=True)
        landed_at = post(path, form.encode(), "application/x-www-form-urlencoded")
        assert "/runs/ingestion/" in landed_at


def answers(html: str) -> dict[str, list[str]]:
    """What the form on a page would send as it stands, without a click on a button."""
    sent: dict[str, list[str]] = {}
    for attributes, options in re.findall(r"<select ([^>]*)>(.*?)</select>", html, re.DOTALL):
        name = re.search(r'name="(\w+)"', attributes)
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        if name:
            sent.setdefault(name[1], []).append(unescape(chosen[1]) if chosen else "")
    for name, value in re.findall(r'<input id="[\w-]+" name="(\w+)" value="([^"]*)"', html):
        sent.setdefault(name, []).append(unescape(value))
    return sent
