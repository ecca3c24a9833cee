"""Prove that an ONNX file and its source agree.

cases: the inputs of the proof, random ones and real crops
samples: the source of the real crops and pictures
parity, tolerances: outputs compared with the source's, and how far apart they may be
axes: the lengths and names of axes that a file declares
detection: the faces that a detector finds with the file and with the source
sessions: what lets a plugin run networks that are not installed
latency: milliseconds, reported and not judged
"""
