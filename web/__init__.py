"""Shared by the pages and APIs of all apps. It has no tables and names no other app."""
