"""Model bytes we can trust, and the MLflow runs, versions and aliases that people look at.

MLflow keeps and shows; it is never asked what to trust. Which bytes a version has is the ledger's word,
which types they may hold is ours.
"""
