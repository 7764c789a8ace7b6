"""Imported last by the fork server: the collector of garbage leaves out what is there by now.

A collector that walks all modules would copy, in each process, the memory that the processes share.
"""

import gc

gc.freeze()
