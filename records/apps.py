from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"

    def ready(self) -> None:
        from django.urls import register_converter

        from records.converters import RecordIdConverter, SourceNameConverter

        register_converter(RecordIdConverter, "record_id")
        register_converter(SourceNameConverter, "source_name")
