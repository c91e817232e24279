"""Whether a model can be trained and differentiated example by example; refused where it cannot."""
