"""``manage.py start``: runs the whole installation on one machine."""

import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error

from dataflow_site.child import Child
from dataflow_site.first_start import Login, ensure_login, load_samples
from dataflow_site.static_files import build_charts_if_missing, collect_if_changed
from dataflow_site.supervisor import Supervisor

HEALTHY_WITHIN_SECONDS = 60


class Command(BaseCommand):
    help = "Prepare the database and start the web server and the background workers."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host",
            default=os.environ.get("HOST", "127.0.0.1"),
            help="the address to listen on (default: HOST, else 127.0.0.1)",
        )
        parser.add_argument(
            "--port",
            default=os.environ.get("PORT", "8000"),
            help="the port to listen on (default: PORT, else 8000)",
        )
        parser.add_argument(
            "--no-samples", action="store_true", help="do not import the sample data"
        )

    def handle(self, *args: Any, host: str, port: str, no_samples: bool, **options: Any) -> None:
        check_port(host, port)
        try:
            login = self.prepare(samples=not no_samples)
        except (Error, OSError) as error:
            reason = str(error).splitlines()[0]
            sys.exit(f"The installation in {settings.VAR_DIR} can't be used: {reason}")
        web = Child(
            "The web server",
            [sys.executable, "-m", "gunicorn", "--config", "python:dataflow_site.gunicorn"],
            {
                "HOST": host,
                "PORT": port,
                "ALLOWED_HOSTS": ",".join({*settings.ALLOWED_HOSTS, host}),
                "WEB_LOG_LEVEL": "warning",
            },
        )
        announcement = threading.Thread(target=self.announce, args=(host, port, login), daemon=True)
        announcement.start()
        Supervisor(settings.QUEUES, [web]).run()
        self.stdout.write("Stopped. All data is kept.")

    def prepare(self, *, samples: bool) -> Login | None:
        """Bring database and files up to date; on the first start, add a login and samples."""
        self.say("Preparing the database")
        call_command("migrate", interactive=False, verbosity=0)
        if build_charts_if_missing():
            self.say("Built the charts' JavaScript")
        if collect_if_changed():
            self.say("Collected the static files")
        login = ensure_login(settings.VAR_DIR / "login.json")
        if samples and load_samples():
            self.say("Queued the sample data")
        return login

    def announce(self, host: str, port: str, login: Login | None) -> None:
        """Wait until the site is healthy, then say where it is and how to get in."""
        url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
        deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while (answer := ask(f"{url}/health")) != 200 and time.monotonic() < deadline:
            time.sleep(0.5)
        lines = [f"DataFlow Analytics {settings.VERSION} is running at {url}/", ""]
        if login is None:
            lines.append("Log in with your own account.")
        else:
            lines.append(f"  Login     {login.name}")
            lines.append(f"  Password  {login.password or '(the one you set)'}")
            lines.append(f"  API       curl -H 'Authorization: Token {login.token}' {url}/stats")
        if answer != 200:
            lines.append(f"  Health    not ready yet, see {url}/health")
        lines += ["", "Press Ctrl-C to stop."]
        self.say("\n".join(["", *lines]))

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def check_port(host: str, port: str) -> None:
    """Exit with one clear sentence if the site can't be served there."""
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        sys.exit(f"PORT must be a number from 1 to 65535, not {port!r}.")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            # As gunicorn does: what is left of an earlier start's connections is no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        sys.exit(
            f"Port {port} on {host} can't be used ({error.strerror}). "
            "Stop the program that uses it, or choose another port: make run PORT=8001"
        )


def ask(url: str) -> int | None:
    """The status of the answer, None without one."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own site
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
