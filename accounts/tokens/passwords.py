"""What a change of the password means for tokens."""

from django.contrib.auth.models import User

from accounts.oauth.clients import end_authorisations
from accounts.tokens.manage import end_personal_tokens


class EndPersonalTokens:
    """A password validator that accepts every password, and ends the personal tokens and what
    applications may do as the person.

    Django tells validators of each change, whichever page or command makes it. A hash that is
    merely renewed when its owner signs in is no change.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Accept it."""

    def password_changed(self, password: str, user: User | None = None) -> None:
        if user is not None:
            end_personal_tokens(user)
            end_authorisations(user)

    def get_help_text(self) -> str:
        return "Your personal API tokens stop working when the password changes."
