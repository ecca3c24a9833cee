"""Plugins: found, chosen, checked and loaded."""
