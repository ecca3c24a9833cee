"""Leaves when it is imported."""

raise SystemExit("I am a script")
