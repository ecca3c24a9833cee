"""Detectors that come with facecli."""
