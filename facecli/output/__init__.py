"""From results to the world: documents, tables, files and drawings."""
