"""Is one candidate better than another, or than nothing?"""
