"""Single-shot detectors: one network sees the whole picture once, and a decoder reads its outputs."""
