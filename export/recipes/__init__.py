"""Built-in export recipes, one file each; none imports torch before its `build` is called."""
