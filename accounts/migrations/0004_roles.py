"""Creates the roles, and lets those who have an account do what they could do before."""

from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ROLES = ("Viewer", "Editor", "Operator", "Admin")
# What needs a permission of its own from now on, by the permission that it needed before.
SEPARATED = {
    "add_ingestionrun": ("ingestionrun", "undo_ingestionrun", "Can undo ingestion run"),
    "change_datarecord": ("datarecord", "reprocess_datarecord", "Can reprocess data record"),
}


def keep_rights(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Any account could read everything: the active ones become viewers. Superusers need no role."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    User = apps.get_model(settings.AUTH_USER_MODEL)
    for name in ROLES:
        Group.objects.get_or_create(name=name)
    viewers = Group.objects.get(name="Viewer")
    for user in User.objects.filter(is_active=True, is_superuser=False):
        user.groups.add(viewers)
    for former, (model, codename, name) in SEPARATED.items():
        before = Permission.objects.filter(
            content_type__app_label="records", content_type__model=model, codename=former
        ).first()
        if before is None:
            continue
        kind = ContentType.objects.get(app_label="records", model=model)
        made, _ = Permission.objects.get_or_create(
            content_type=kind, codename=codename, defaults={"name": name}
        )
        for user in before.user_set.all():
            user.user_permissions.add(made)
        for group in before.group_set.all():
            group.permissions.add(made)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_knox_tokens"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(keep_rights, migrations.RunPython.noop)]
