from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("records", "0010_text_index")]

    operations = [
        migrations.AlterModelOptions(
            name="processingbatch",
            options={"ordering": ["id"], "verbose_name_plural": "processing batches"},
        ),
        migrations.AlterModelOptions(
            name="processingfacts",
            options={"verbose_name_plural": "processing facts"},
        ),
    ]
