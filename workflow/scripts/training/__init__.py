"""The network, its loss, its optimizer, and the loop."""
