"""Attacks of our own on the box and on the marks, one function each, one line what it tries."""
