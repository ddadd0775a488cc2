from typing import Any

from django.db import migrations, models

import records.models.fields


def count_values(apps: Any, schema_editor: Any) -> None:
    """Mark current results whose value could not be read, and count the values of each source."""
    if schema_editor.connection.vendor == "postgresql":
        is_number = 'repairs @> \'[{"rule": "number"}]\''
        source = "split_part(record_id, ':', 1)"
    else:
        is_number = (
            "EXISTS (SELECT 1 FROM json_each(repairs) "
            "WHERE json_extract(value, '$.rule') = 'number')"
        )
        source = "substr(record_id, 1, instr(record_id, ':') - 1)"
    schema_editor.execute(
        "UPDATE processing_results SET unread = TRUE "  # noqa: S608 (no values)
        f"WHERE current AND repaired AND {is_number}"
    )
    schema_editor.execute(
        "INSERT INTO value_counts (source, filled, unread) "  # noqa: S608 (no values)
        f"SELECT {source}, count(*), count(*) FILTER (WHERE unread) FROM processing_results "
        "WHERE current AND (value IS NOT NULL OR unread) GROUP BY 1"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0018_run_changes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ValueCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", records.models.fields.KeyField(max_length=100, unique=True)),
                ("filled", models.BigIntegerField(default=0)),
                ("unread", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "value_counts",
            },
        ),
        migrations.AddField(
            model_name="ingestionrun",
            name="value_cells",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="processingresult",
            name="unread",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="processingrun",
            name="filled",
            field=models.PositiveBigIntegerField(default=0, help_text="processed with a value"),
        ),
        migrations.AddField(
            model_name="processingrun",
            name="unread",
            field=models.PositiveBigIntegerField(
                default=0, help_text="processed, with a value that could not be read as a number"
            ),
        ),
        migrations.AddIndex(
            model_name="processingresult",
            index=models.Index(
                condition=models.Q(("current", True), ("unread", True)),
                fields=["record"],
                name="results_unread",
            ),
        ),
        migrations.RunPython(count_values, migrations.RunPython.noop),
    ]
