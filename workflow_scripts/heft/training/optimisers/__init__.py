"""How training moves the parameters, one file an optimiser."""
