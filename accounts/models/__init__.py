"""The tables of who may do what."""
