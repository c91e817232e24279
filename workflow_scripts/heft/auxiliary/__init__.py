"""Further trained models that methods and ensembles ask for."""
