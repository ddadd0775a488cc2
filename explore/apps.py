from django.apps import AppConfig


class ExploreConfig(AppConfig):
    name = "explore"

    def ready(self) -> None:
        from explore.links import URLS
        from web.links import PAGES

        PAGES.update(URLS)
