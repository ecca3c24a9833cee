"""Folders with everything an edge program needs: models, manifest, licences, and runners in Python and JavaScript."""
