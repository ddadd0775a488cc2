"""API tokens: how they are made, found, checked and ended."""
