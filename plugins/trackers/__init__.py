"""Trackers: which detections in the frames of a film are one face."""
