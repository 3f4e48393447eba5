# What belongs to the manual and is not a page of it.

exampledir = $(docdir)/examples
dist_example_SCRIPTS = doc/first-collision.py

# Written by `make bench-publish`.
EXTRA_DIST += doc/bench.md doc/bench.csv doc/bench.svg
EXTRA_DIST += doc/kernels.md
