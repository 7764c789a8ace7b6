"""The company's own documents: read, released with the prompts, and searched."""

import os

# Because each question is a few milliseconds of work, threads of numpy's BLAS would wait for each other far longer.
# The variable is read when numpy is loaded, which is at the first search.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
