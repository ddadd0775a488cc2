"""How people sign in: django-allauth, without open sign-up, in the product's own look."""
