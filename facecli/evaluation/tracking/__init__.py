"""Tracks beside the truth: MOTA and its like, IDF1 and HOTA."""
