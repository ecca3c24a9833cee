"""How a model's files come in: fetched, unpacked, hashed, put in place."""
