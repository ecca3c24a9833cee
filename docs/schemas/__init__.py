"""The JSON Schemas of what facecli writes, installed so that a server's OpenAPI document can have them."""
