"""What every room stands on: errors, files, params, English."""
