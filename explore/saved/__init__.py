"""What people save and share: questions, dashboards, and links to them."""
