"""What a loss is: the loss of one image, its sign chart, and its better forms."""
