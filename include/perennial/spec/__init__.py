"""What a person declares in ``model.yaml``, as strict values with every default written once."""
