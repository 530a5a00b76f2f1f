"""What is found about how a model trained, and the verdict."""
