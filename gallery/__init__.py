"""People and their pages. No pixels here."""
