"""The permission of each action, for pages and the API."""

from enum import Enum
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission

if TYPE_CHECKING:
    # The web server imports this module before Django knows its models.
    from django.contrib.auth.models import AnonymousUser, User
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Action(Enum):
    """An action: the permission that it needs, and its purpose as in “… to import files”.

    Who may start a run may also cancel or retry it, whoever started it.
    """

    READ = "records.view_datarecord", "see records"
    IMPORT = "records.add_ingestionrun", "import files"
    CANCEL_IMPORT = "records.add_ingestionrun", "cancel imports"
    RETRY_IMPORT = "records.add_ingestionrun", "retry imports"
    UNDO_IMPORT = "records.undo_ingestionrun", "undo imports"
    REPLAY = "records.add_ingestionrun", "replay rejected rows"
    PROCESS = "records.add_processingrun", "process records"
    CANCEL_PROCESSING = "records.add_processingrun", "cancel processing"
    RETRY_PROCESSING = "records.add_processingrun", "retry processing"
    CHANGE_RULES = "records.add_ruleset", "change rules"
    CHANGE_FEED = "records.change_feed", "set up automatic imports"
    DELETE_FEED = "records.delete_feed", "remove automatic imports"
    CHANGE_SOURCE = "records.change_source", "change the settings of sources"
    DELETE_SOURCE = "records.delete_source", "delete sources"
    WRITE_SQL = "records.query_datarecord", "run SQL statements"
    EDIT_RECORDS = "records.change_datarecord", "change records"
    REPROCESS_RECORDS = "records.reprocess_datarecord", "reprocess records"
    DELETE_RECORDS = "records.delete_datarecord", "delete records"
    MANAGE_PEOPLE = "auth.change_user", "manage people"
    SEE_OPERATIONS = "accounts.view_auditentry", "see how the installation is operated"
    MANAGE_TOKENS = "accounts.change_apitoken", "manage the API tokens of everybody"

    def __init__(self, permission: str, purpose: str) -> None:
        self.permission, self.purpose = permission, purpose

    @property
    def refusal(self) -> str:
        """The sentence for users without the permission, which is named as in the admin."""
        app, _, codename = self.permission.partition(".")
        verb, _, model = codename.partition("_")
        kind = apps.get_model(app, model)._meta.verbose_name
        return (
            f"You need the permission “Can {verb} {kind}” to {self.purpose}. Ask an administrator."
        )


def may(user: "User | AnonymousUser", action: Action) -> bool:
    """Whether the user has the permission for an action.

    Without an account one may read, where the installation allows that.
    """
    if action is Action.READ and user.is_anonymous:
        return settings.ANONYMOUS_READING
    return user.has_perm(action.permission)


def check(user: "User", action: Action) -> None:
    """Raise PermissionDenied for users without the permission."""
    if not may(user, action):
        raise PermissionDenied(action.refusal)


def needing(**actions: Action) -> type[BasePermission]:
    """A permission class for an API view: each method needs the permission of its action."""

    class May(BasePermission):
        message = ""

        def has_permission(self, request: "Request", view: "APIView") -> bool:
            action = actions.get(request.method or "")
            self.message = action.refusal if action else ""
            return action is None or may(request.user, action)

    return May


def to_post(action: Action) -> type[BasePermission]:
    """A permission class for an API view: POST needs the permission of the action."""
    return needing(POST=action)
