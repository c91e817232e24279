"""How the learning rate goes over the steps, one file a schedule."""
