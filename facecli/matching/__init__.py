"""From embeddings to a decision about two faces."""
