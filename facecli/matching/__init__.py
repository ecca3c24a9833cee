"""Decisions about two faces by their embeddings: distances, the rule that decides, and the typed verdict."""
