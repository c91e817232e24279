"""Gradients of a layer's parameters, from what enters the layer and the gradients of its outputs."""
