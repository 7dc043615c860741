"""How far training knows rows like these: ranges, combinations, neighbours, drift, columns."""
