"""The models of this machine: which ones there are, whether they work, and how a new one comes in.

Above the catalogue and the plugin registry, below the command line: a server or a program in Python asks here, too.
"""
