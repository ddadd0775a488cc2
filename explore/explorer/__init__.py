"""What the record explorer shows and does."""
