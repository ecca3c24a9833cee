"""From names to pixels: which files an input means, reading, checking and decoding them."""
