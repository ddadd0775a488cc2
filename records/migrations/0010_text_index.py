from typing import Any

from django.db import migrations, models

import records.models.fields


def index_texts(apps: Any, schema_editor: Any) -> None:
    """Index texts by their trigrams, if PostgreSQL has its module for that, and have workers take
    in what is there."""
    if schema_editor.connection.vendor == "postgresql" and _has_trigrams(schema_editor):
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        schema_editor.execute(
            "CREATE INDEX record_texts_trigrams ON record_texts USING gin (text gin_trgm_ops)"
        )
        # Kept for a short while: to press it together would take more time than it saves.
        schema_editor.execute("ALTER TABLE text_changes ALTER COLUMN ids SET STORAGE EXTERNAL")
        # By its sample of texts PostgreSQL tells words that are rare.
        schema_editor.execute("ALTER TABLE record_texts ALTER COLUMN text SET STATISTICS 500")
        schema_editor.execute(
            "INSERT INTO text_changes (ids) SELECT jsonb_agg(id)::text FROM "
            "(SELECT id, row_number() OVER (ORDER BY id) / 20000 AS part FROM data_records) "
            "AS parted GROUP BY part"
        )


def _has_trigrams(schema_editor: Any) -> bool:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'")
        return cursor.fetchone() is not None


class Migration(migrations.Migration):
    dependencies = [("records", "0009_moments")]

    operations = [
        migrations.CreateModel(
            name="RecordText",
            fields=[
                (
                    "record_id",
                    records.models.fields.KeyField(
                        max_length=255, primary_key=True, serialize=False
                    ),
                ),
                ("text", models.TextField()),
            ],
            options={"db_table": "record_texts"},
        ),
        migrations.CreateModel(
            name="TextChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ids", models.TextField()),
                ("woken_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "text_changes"},
        ),
        migrations.RunPython(index_texts, migrations.RunPython.noop),
    ]
