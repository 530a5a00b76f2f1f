"""What builds things for the tests, a module for each subject."""
