"""Who is learnt from, and who is held out."""
