"""The page, the table, and the last lines of a run."""
