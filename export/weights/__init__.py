"""Read the weights that are exported, without running the code of whoever made their files.

source: where a weights file lies, and its hash. state: PyTorch. keras_file: Keras HDF5. dlib_file: dlib.
"""
