"""Processing runs and tests of rules on all records."""
