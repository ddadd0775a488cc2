"""A started installation, as people and programs meet it."""

import json
import re
import signal
import sys
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

from tests.installation import Installation, wait_for
from tests.markup import sent_by, tree
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
        wait_for(lambda: "Ctrl-C" in self.output, seconds=300, what=f"the start: {self.output}")

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
        return self.process.wait(60)

    @property
    def token(self) -> str:
        """What a program sends along to be let in."""
        found = re.search(r"Token \w+", self.said("API"))
        assert found
        return found[0]

    def stats(self) -> Any:
        status, answer = self.get("/stats", Authorization=self.token)
        assert status == 200
        return answer

    def upload(self, file: Path, source: str) -> None:
        """Upload a file and load it, as a browser without JavaScript does."""
        visitor = Visitor(self)
        visitor.load(visitor.send(file, source))


class Visitor:
    """A browser without JavaScript, whose user has logged in."""

    def __init__(self, site: Site) -> None:
        self.url = site.url
        self.cookies = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.cookies))
        form = urlencode({"username": site.said("Login"), "password": site.said("Password")})
        self._post("/login/", form.encode(), "application/x-www-form-urlencoded")

    def send(self, file: Path, source: str) -> str:
        """Upload a file; the path of its preview."""
        body = (
            f'--x\r\nContent-Disposition: form-data; name="source"\r\n\r\n{source}\r\n'
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
        ).encode() + file.read_bytes()
        return self._post("/upload/", body + b"\r\n--x--\r\n", "multipart/form-data; boundary=x")

    def load(self, preview: str) -> None:
        """Load what was uploaded, as its preview proposes it."""
        with self.opener.open(f"{self.url}{preview}") as page:
            form = urlencode(answers(page.read().decode()) | {"do": "load"}, doseq=True)
        landed_at = self._post(preview, form.encode(), "application/x-www-form-urlencoded")
        assert "/runs/ingestion/" in landed_at

    def _post(self, path: str, data: bytes, kind: str) -> str:
        """Send a form; the path of the page that is shown then."""
        self.opener.open(f"{self.url}{path}").close()
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        headers = {"Content-Type": kind, "X-CSRFToken": token or "", "Referer": self.url}
        with self.opener.open(Request(f"{self.url}{path}", data, headers)) as answer:
            return str(answer.url).removeprefix(self.url)


def answers(html: str) -> dict[str, list[str]]:
    """What the form on a page would send as it stands, without a click on a button."""
    (form,) = tree(html).select("form#settings")
    return sent_by(form)
