"""Folders with everything an edge program needs: models, manifest, licences, and runners in Python and JavaScript.

write: a bundle as a whole. manifest: the description of its models that the runners read. licences: their texts.
proof: the comparison with facecli. runner: the program that is copied into a bundle; it imports nothing of facecli.
"""
