"""Results as documents, tables, files and drawings."""
