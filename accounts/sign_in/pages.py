"""The pages of signing in and out."""

from allauth.account import views


class LoginView(views.LoginView):
    """Log in."""

    template_name = "login.html"


class LogoutView(views.LogoutView):
    """Log out, by a button."""

    http_method_names = ["post", "options"]
