"""Export recipes that come with facecli, one file each."""
