"""config.yaml, checked and expanded into variants."""
