"""Whether rows resemble the training participants: ranges, combinations, groups, drift, columns."""
