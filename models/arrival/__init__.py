"""The way of a model file into the store: fetched or copied, unpacked, hashed, moved to its place, recorded."""
