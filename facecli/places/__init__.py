"""Places of files, whole or not at all: a folder of this machine, or a prefix in an object store."""
