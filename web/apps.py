from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "web"

    def ready(self) -> None:
        from django.urls import register_converter

        from web.converters import RecordIdConverter, SourceNameConverter

        register_converter(RecordIdConverter, "record_id")
        register_converter(SourceNameConverter, "source_name")
