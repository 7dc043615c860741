"""Is this analysis worth fitting?"""
