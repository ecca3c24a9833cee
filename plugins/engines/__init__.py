"""Engines that come with facecli."""
