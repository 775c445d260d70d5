"""One script for each claim: the peer beside it where there is one, JSON out."""
