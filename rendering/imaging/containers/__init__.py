"""File formats: each reads the size and the turning from a header in plain Python, without any decoder."""
