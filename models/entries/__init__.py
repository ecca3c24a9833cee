"""Entries: what is stated about a model, by the catalogue, by the user, or by the metadata of its own file."""
