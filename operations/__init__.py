"""It keeps running: backups, metrics, health, and what administrators see of them."""
