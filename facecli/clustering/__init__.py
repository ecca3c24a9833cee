"""Faces to people: clusters of faces whose names nobody has told, beside the people of a gallery."""
