"""Attribute models that come with facecli."""
