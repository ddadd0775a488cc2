"""`manage.py create_token`: create an API token, and print it once."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from accounts.models import TokenKind, TokenScope
from accounts.tokens.manage import DEFAULT_LIFETIME, LIFETIMES, TokenError, create_token
from records.models import Source

NEVER = "never"


class Command(BaseCommand):
    help = (
        "Create an API token and print it: it is not stored and can't be shown again. Exit "
        "status: 0 if the token was created, 1 if not, 2 for incorrect usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="name of the user who owns the token")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument(
            "--scope",
            choices=TokenScope.values,
            default=TokenScope.READ.value,
            help="read: GET requests only; write: all that the user may do",
        )
        parser.add_argument(
            "--kind",
            choices=TokenKind.values,
            default=TokenKind.PERSONAL.value,
            help="a personal token ends when the password of the user changes",
        )
        parser.add_argument(
            "--source",
            action="append",
            metavar="NAME",
            help="limit the token to this source; may be repeated",
        )
        parser.add_argument(
            "--expires",
            choices=[*map(str, LIFETIMES), NEVER],
            default=str(DEFAULT_LIFETIME),
            help="days until the token expires; never is for service tokens only",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["user"]).first()
        if owner is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        sources = options["source"]
        for name in sources or ():
            if not Source.objects.filter(name=name).exists():
                raise CommandError(f"There is no source {name!r}.")
        expires = options["expires"]
        try:
            _, text = create_token(
                owner=owner,
                name=options["name"],
                kind=TokenKind(options["kind"]),
                scope=TokenScope(options["scope"]),
                sources=sources,
                days=None if expires == NEVER else int(expires),
            )
        except TokenError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(text)
