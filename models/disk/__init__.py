"""The folder of the model files: the path of each, the record of where it is from, and the locks for changing it."""
