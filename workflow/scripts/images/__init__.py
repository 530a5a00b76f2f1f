"""MNIST's own format, PNG images, and torchvision's readers."""
