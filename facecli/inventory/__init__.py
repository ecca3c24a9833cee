"""The models of this machine: which ones there are, whether they work, and how one comes in."""
