"""The truth of a gallery: one SQLite file. Nothing outside this package knows SQL."""
