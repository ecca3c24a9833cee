"""Pictures by name, as bytes and as pixels: finding, reading, checking, decoding and encoding them."""
