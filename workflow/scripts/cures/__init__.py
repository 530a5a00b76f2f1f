"""What makes a training that went wrong go well, tried in full."""
