"""Further trained models that methods and ensembles ask for, one file a kind."""
