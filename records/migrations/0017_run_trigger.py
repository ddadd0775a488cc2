from django.db import migrations, models

RUNS = ("ingestionrun", "processingrun", "dryrun", "ruledryrun", "undo", "export")


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0016_rule_dry_run"),
    ]

    # The column keeps its name: first the field names it, then the field is renamed.
    operations = [
        operation
        for model in RUNS
        for operation in (
            migrations.AlterField(
                model_name=model,
                name="how",
                field=models.CharField(db_column="how", max_length=20),
            ),
            migrations.RenameField(model_name=model, old_name="how", new_name="trigger"),
        )
    ]
