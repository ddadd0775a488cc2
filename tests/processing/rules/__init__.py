"""The kinds of rules, each in a file of its own."""
