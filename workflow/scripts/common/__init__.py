"""What every room stands on: errors, files, the lock, the terminal."""
