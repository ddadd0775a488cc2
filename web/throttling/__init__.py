"""How many requests a client may send: by address, by token and by user."""
