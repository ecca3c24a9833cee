"""PyTorch networks whose weights are published as Keras HDF5 files, those of deepface above all."""
