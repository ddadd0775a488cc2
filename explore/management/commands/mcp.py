"""`manage.py mcp`: the MCP server for an assistant on this machine."""

import os
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.core.exceptions import DisallowedHost
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from accounts.tokens.identify import Refused, identify
from explore.mcp.caller import Caller


class Command(BaseCommand):
    help = (
        "Serve an assistant over MCP, on standard input and output, with the rights of the API "
        "token in DATAFLOW_TOKEN. Exit status: 2 if the token is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url",
            default="http://127.0.0.1:8000",
            help="URL of this installation, which links lead to (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        token = os.environ.get("DATAFLOW_TOKEN", "")
        if not token:
            raise CommandError("Set DATAFLOW_TOKEN to an API token.", returncode=2)
        try:
            identify(token)
        except Refused as error:
            raise CommandError(str(error), returncode=2) from error
        caller = Caller.with_token(token, site=_site(options["url"]))
        try:
            caller.url("/")
        except DisallowedHost as error:
            raise CommandError(
                f"The host of {options['url']} is not in ALLOWED_HOSTS.", returncode=2
            ) from error
        with suppress(KeyboardInterrupt):
            async_to_sync(_serve)(caller)


def _site(text: str) -> str:
    """A URL without its path. Raises CommandError."""
    with suppress(ValueError):
        url = urlsplit(text)
        # A wrong port raises ValueError when it is read.
        is_right = url.scheme in ("http", "https") and url.hostname and url.port != 0
        if is_right and "@" not in url.netloc:
            return f"{url.scheme}://{url.netloc}"
    raise CommandError(f"{text} is not the URL of an installation.", returncode=2)


async def _serve(caller: Caller) -> None:
    # The SDK takes a second to load, which other commands need not wait for.
    from mcp.server.stdio import stdio_server

    from explore.mcp.server import make_server

    server = make_server(caller, on_end=close_old_connections)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
