"""Columns of a source in the dictionary's names, codes and units."""
