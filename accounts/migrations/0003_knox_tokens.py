"""Takes over the tokens of django-rest-knox, which is no longer installed, and drops its table.

Its tokens had no end; here they expire 90 days after this migration at the latest. Their digests
(SHA-512) stay as they are: see accounts.tokens.texts.LEGACY.
"""

from datetime import timedelta
from typing import Any

from django.db import migrations, models
from django.utils import timezone

TABLE = "knox_authtoken"
LAST = timedelta(days=90)


def take_over(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if TABLE not in connection.introspection.table_names():
        return
    now = timezone.now()
    ApiToken = apps.get_model("accounts", "ApiToken")
    for row in apps.get_model("accounts", "KnoxToken").objects.order_by("created", "digest"):
        expires = min(row.expiry or now + LAST, now + LAST)
        if expires <= now or ApiToken.objects.filter(prefix=row.token_key).exists():
            continue
        token = ApiToken.objects.create(
            owner_id=row.user_id,
            name=f"Token of {row.created:%Y-%m-%d} ({row.token_key[:4]})",
            kind="personal",
            prefix=row.token_key,
            digest=row.digest,
            scope="write",
            expires_at=expires,
        )
        ApiToken.objects.filter(pk=token.pk).update(created_at=row.created)


def forget(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if TABLE in connection.introspection.table_names():
        schema_editor.execute(f"DROP TABLE {TABLE}")
    apps.get_model("contenttypes", "ContentType").objects.filter(app_label="knox").delete()
    schema_editor.execute("DELETE FROM django_migrations WHERE app = 'knox'")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_api_tokens"),
        # What refers to the kinds of content that are deleted.
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="KnoxToken",
            fields=[
                ("digest", models.CharField(max_length=128, primary_key=True)),
                ("token_key", models.CharField(max_length=25)),
                ("user_id", models.IntegerField()),
                ("created", models.DateTimeField()),
                ("expiry", models.DateTimeField(null=True)),
            ],
            options={"db_table": TABLE, "managed": False},
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
        migrations.RunPython(forget, migrations.RunPython.noop),
        migrations.DeleteModel(name="KnoxToken"),
    ]
