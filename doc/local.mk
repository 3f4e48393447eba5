# What belongs to the manual and is not a page of it.

exampledir = $(docdir)/examples
dist_example_SCRIPTS = doc/first-collision.py
