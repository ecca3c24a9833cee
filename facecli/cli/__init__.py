"""click: the root command, the options that commands share, and what they turn into. No wing below knows a terminal."""
