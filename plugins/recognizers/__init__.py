"""Recognizers that come with facecli."""
