"""Faces made unrecognisable in pictures and films, and the proof that they are."""
