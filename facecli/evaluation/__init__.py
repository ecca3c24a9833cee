"""From pictures with known faces or people to the error rates of a detector or recognizer."""
