"""What only shows when models lie side by side, and the statistics of all that may be luck."""
