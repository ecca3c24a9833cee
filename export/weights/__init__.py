"""Where weights come from, and reading them without running anybody's code."""
