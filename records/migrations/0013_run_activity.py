from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0012_waiting_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="ingestionrun",
            name="activity",
            field=models.TextField(blank=True),
        ),
    ]
