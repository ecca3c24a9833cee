"""Error rates of a detector or recognizer, on pictures whose faces or people are known."""
