"""OAuth 2: programs get access to the API by a person's consent, or as their owner."""
