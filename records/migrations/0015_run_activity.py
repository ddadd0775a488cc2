from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0011_plural_names"),
    ]

    operations = [
        migrations.AddField(
            model_name="ingestionrun",
            name="activity",
            field=models.TextField(blank=True),
        ),
    ]
