"""The plugins that come with facecli, one file each."""
