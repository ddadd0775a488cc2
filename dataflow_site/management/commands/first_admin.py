"""``manage.py first_admin``: the first administrator of an installation in containers."""

import os
from typing import Any

from django.core.management.base import BaseCommand

from dataflow_site.first_start import NAME, ensure_admin


class Command(BaseCommand):
    help = f"Creates the user {NAME} with the password ADMIN_PASSWORD, if there is no admin yet."

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("ADMIN_PASSWORD")
        if not password:
            self.stdout.write("No ADMIN_PASSWORD is set: no administrator was created.")
        elif ensure_admin(password):
            self.stdout.write(f"The administrator {NAME} was created.")
