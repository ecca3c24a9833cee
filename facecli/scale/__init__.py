"""Millions of pictures: a frozen list, cut into shards, each of which becomes files of its own on any engine."""
