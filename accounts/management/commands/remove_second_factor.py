"""``manage.py remove_second_factor``: lets someone in who has lost the device with the codes."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.sign_in import people


class Command(BaseCommand):
    help = "Remove the authenticator app, the passkeys and the recovery codes of a person."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="username or email address")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = people.find(name)
        if user is None:
            raise CommandError(f"No account is named {name}.")
        removed, _ = Authenticator.objects.filter(user=user).delete()
        if removed:
            self.stdout.write(f"{user.get_username()} now logs in without a second factor.")
        else:
            self.stdout.write(f"{user.get_username()} has no second factor.")
