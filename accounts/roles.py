"""Roles: groups that have the permissions of what their members do.

Whatever a role may do, the next one may do as well.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from accounts.audit.watched import unwatched

VIEWER, EDITOR, OPERATOR, ADMIN = "Viewer", "Editor", "Operator", "Admin"

# Permissions of each role that the roles before it do not have; viewers see every table of records.
GRANTED: dict[str, tuple[str, ...]] = {
    VIEWER: (),
    EDITOR: (
        "records.add_ingestionrun",
        "records.change_datarecord",
        "records.query_datarecord",
    ),
    OPERATOR: (
        "records.add_source",
        "records.change_source",
        "records.delete_source",
        "records.add_ruleset",
        "records.add_feed",
        "records.change_feed",
        "records.delete_feed",
        "records.add_processingrun",
        "records.undo_ingestionrun",
        "records.reprocess_datarecord",
        "records.delete_datarecord",
    ),
    ADMIN: (
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.delete_user",
        "auth.view_group",
        "accounts.*",
    ),
}
ROLES = tuple(GRANTED)
MEANINGS = {
    VIEWER: "Sees and exports everything.",
    EDITOR: "Also uploads, repairs, replays, edits, and runs SQL.",
    OPERATOR: "Also changes sources, rules and automatic imports; undoes, deletes, reprocesses.",
    ADMIN: "Also manages people and tokens.",
}


def ensure_roles(**kwargs: Any) -> None:
    """Create the roles, and give each the permissions that it is to have.

    Django makes permissions at the end of `migrate`, so this follows it.
    """
    wanted = Q(content_type__app_label="records", codename__startswith="view_")
    for role, granted in GRANTED.items():
        for permission in granted:
            app, _, codename = permission.partition(".")
            of_app = Q(content_type__app_label=app)
            wanted |= of_app if codename == "*" else of_app & Q(codename=codename)
        with unwatched():
            group, _ = Group.objects.get_or_create(name=role)
            group.permissions.set(Permission.objects.filter(wanted))
