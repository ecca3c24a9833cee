"""From embeddings to a decision about two faces: distances, the rule that decides, and the typed verdict."""
