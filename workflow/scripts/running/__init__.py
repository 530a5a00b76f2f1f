"""What stands around the jobs: the lock, the terminal, and how jobs start. The only room that touches Snakemake's
internals."""
