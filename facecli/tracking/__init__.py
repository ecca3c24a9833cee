"""Faces through time: tracks, who they are, and what is told of them as a film goes on."""
