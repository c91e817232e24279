"""The deterministic training loop, batched training of many models, checkpoints."""
