"""Plugins: found through their entry points, chosen by name, checked against each other, and loaded."""
