"""What the deletion of a source means for tokens."""

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from accounts.tokens.manage import forget_source
from records.models import Source


@receiver(post_delete, sender=Source, dispatch_uid="limits of tokens")
def end_limits(sender: object, instance: Source, **kwargs: Any) -> None:
    """End the limits of tokens to a source that has been deleted."""
    forget_source(instance.name)
