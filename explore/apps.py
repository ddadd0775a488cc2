from django.apps import AppConfig


class ExploreConfig(AppConfig):
    name = "explore"

    def ready(self) -> None:
        from explore.links import URLS
        from records.jobs.registry import register
        from records.models import Export
        from web.links import PAGES

        register("export", Export, queue="processing", job="explore.export.jobs.MakeExport")
        PAGES.update(URLS)
