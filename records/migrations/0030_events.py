import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0029_saved_questions"),
    ]

    operations = [
        migrations.AlterField(
            model_name="idempotencykey",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="records.ingestionrun",
            ),
        ),
        migrations.AddField(
            model_name="idempotencykey",
            name="first",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="idempotencykey",
            name="rows",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
