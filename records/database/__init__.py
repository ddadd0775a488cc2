"""What the project asks of its database beyond Django: bulk writes, its clock, its sessions."""
