"""The pages of rules and processing."""
