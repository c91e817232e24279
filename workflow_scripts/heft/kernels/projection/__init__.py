"""Random projections of the gradients of all examples."""
