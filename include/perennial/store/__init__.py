"""Published partitions: immutable content, one manifest per publication, one winner per version."""
