"""From names to pixels and back: which pictures an input means, and reading, checking, decoding and encoding them."""
