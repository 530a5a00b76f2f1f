"""What became of a training, why, and what to type instead."""
