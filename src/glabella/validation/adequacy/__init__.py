"""Are there enough participants?"""
