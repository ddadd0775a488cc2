"""The admin site: what all its lists share, including those of libraries."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

# What django-allauth keeps for itself, secrets of second factors among it.
KEPT_BACK = {
    f"allauth.{name}" for name in ("account", "idp.oidc", "mfa", "socialaccount", "usersessions")
}


class OfferedOnly(ChangeList):
    """A list that is filtered and sorted only by what its page offers.

    Django takes any field of the table from the address. Whoever may look at a list could find out
    a password hash or a secret that no page shows, one character after the other, and have tables
    of millions of rows sorted by columns without an index.
    """

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            found = super().get_filters(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("This list has no such filter.") from error
        # The filters have taken their own parameters out.
        if others := found[2]:
            raise BadRequest(f"This list has no filter “{next(iter(others))}”.")
        return found

    def get_ordering_field(self, field_name: Any) -> Any:
        is_sortable = field_name in (self.sortable_by or ())
        return super().get_ordering_field(field_name) if is_sortable else None


class Audited:
    """Enters into the audit log what is changed in tables that have no entries of their own."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record([obj], "added")
        return super().log_addition(request, obj, message)  # type: ignore[misc]

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        if message:
            _record([obj], "changed")
        return super().log_change(request, obj, message)  # type: ignore[misc]

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        _record(queryset, "deleted")
        return super().log_deletions(request, queryset)  # type: ignore[misc]


def _record(rows: Iterable[Model], what: str) -> None:
    # The web server imports this module before Django knows its models.
    from accounts import audit
    from accounts.audit.watched import has_own_entries

    for row in rows:
        if not has_own_entries(type(row)):
            audit.record(
                audit.Action.CHANGED_IN_ADMIN,
                kind=str(row._meta.verbose_name),
                object_id=row.pk,
                label=row,
                after={"what": what},
            )


class Site(AdminSite):
    """Registers the admins of our own apps and of libraries alike.

    Its own pages for passwords would be ways round the limits of attempts and the second factor.
    """

    @login_not_required
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated:
            # The admin sends here whoever may not see the page.
            raise PermissionDenied
        target = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        query = urlencode({REDIRECT_FIELD_NAME: target}, safe="/")
        return HttpResponseRedirect(f"{reverse('login')}?{query}")

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        shown = [model for model in models if model._meta.app_config.name not in KEPT_BACK]
        base = admin_class or ModelAdmin
        changelist = {"get_changelist": lambda admin, request, **kwargs: OfferedOnly}
        bases = (Audited, base)
        own = type(base.__name__, bases, {"__module__": base.__module__} | changelist)
        super().register(shown, own, **options)


class Config(AdminConfig):
    """The admin with this site."""

    default_site = "dataflow_site.admin_site.Site"
