"""The pages where data comes in."""
