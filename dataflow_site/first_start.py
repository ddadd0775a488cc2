"""What the first start adds to an empty installation: an administrator and sample data."""

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from accounts.models import TokenScope
from accounts.tokens.identify import Refused, identify
from accounts.tokens.manage import create_token
from ingestion.loading import runs
from ingestion.samples import KEYS
from records.jobs.runner import queue
from records.models import Source

NAME = "admin"


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in. A password or token that the owner has changed is not known: None."""

    name: str
    password: str | None
    token: str | None


def ensure_admin(password: str) -> bool:
    """Create the first administrator, if there is none; whether one was created."""
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return False
    users.objects.create_superuser(username=NAME, password=password)
    return True


def ensure_login(path: Path) -> Login | None:
    """The administrator of the embedded installation, created on the first start.

    Password and token are kept in ``path``, for its owner only, and returned as long as they are
    valid. None if the installation is looked after by someone with another name.
    """
    kept = _read(path) or Login(NAME, secrets.token_urlsafe(12), None)
    if kept.password and not get_user_model().objects.filter(is_superuser=True).exists():
        # First the file: a start that is cut short must not leave an admin nobody can log in as.
        _write(path, kept)
        ensure_admin(kept.password)
    user = get_user_model().objects.filter(username=kept.name, is_active=True).first()
    if user is None:
        return None
    login = Login(
        kept.name,
        kept.password if user.check_password(kept.password) else None,
        kept.token if _is_valid(kept.token, user) else _new_token(user),
    )
    if login != kept:
        _write(path, login)
    return login


def load_samples() -> bool:
    """Queue the sample files of an installation that has no source yet; whether that was so."""
    if Source.objects.exists():
        return False
    folder = settings.VAR_DIR / "samples"
    call_command("sample_data", directory=folder, verbosity=0, stdout=StringIO())
    with transaction.atomic():
        for path in sorted(folder.glob("*.csv")):
            roles = {"id": [KEYS[path.stem]]} if path.stem in KEYS else {}
            queue(runs.create_run(path=path, file_name=path.name, trigger="sample", roles=roles))
    return True


def _is_valid(token: str | None, user: User) -> bool:
    try:
        return identify(token or "").owner == user
    except Refused:
        return False


def _new_token(user: User) -> str:
    name = f"First start, {timezone.now():%Y-%m-%d %H:%M:%S}"
    return create_token(owner=user, name=name, scope=TokenScope.WRITE)[1]


def _read(path: Path) -> Login | None:
    try:
        return Login(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write(path: Path, login: Login) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(handle, "w") as file:
        json.dump(asdict(login), file)
    Path(name).replace(path)
