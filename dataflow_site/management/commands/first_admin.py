"""``manage.py first_admin``: creates the first administrator of an installation in containers."""

import os
from typing import Any

from django.core.management.base import BaseCommand

from dataflow_site.first_start import NAME, ensure_admin


class Command(BaseCommand):
    help = (
        f"Create the user {NAME} with the password ADMIN_PASSWORD if there is no administrator yet."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("ADMIN_PASSWORD")
        if not password:
            self.stdout.write("ADMIN_PASSWORD is not set: no administrator created.")
        elif ensure_admin(password):
            self.stdout.write(f"Created the administrator {NAME}.")
