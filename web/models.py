"""The table behind the cache that all processes share."""

from django.db import models


class SharedCacheEntry(models.Model):
    """One entry of the cache ``default``. Django's database cache reads and writes it by SQL."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "shared_cache"

    def __str__(self) -> str:
        return self.cache_key
