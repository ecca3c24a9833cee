"""What the single-shot detectors share."""
