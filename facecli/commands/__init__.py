"""The commands of facecli, one file each."""
