"""What flows between the jobs as JSON, defined once: all who write and read it import it from here. No torch here."""
