"""Whether the running server keeps to the description of its API, as schemathesis checks it."""
