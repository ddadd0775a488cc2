"""Background work: claimed by a lease, watched, ended once."""
