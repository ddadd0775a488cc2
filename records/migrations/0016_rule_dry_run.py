import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0015_words"),
    ]

    operations = [
        # The table keeps its name.
        migrations.RenameModel(old_name="Rehearsal", new_name="RuleDryRun"),
        migrations.AlterField(
            model_name="ruledryrun",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rule_dry_runs",
                to="records.source",
            ),
        ),
    ]
