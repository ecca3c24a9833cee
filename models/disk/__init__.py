"""The store's folder: names, records, locks, accepted licences."""
