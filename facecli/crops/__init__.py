"""Crops: cut from a picture around a face as a model wants to see it, and turned into the numbers that it takes."""
