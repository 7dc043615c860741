"""From scores to response: the endpoint, its missing outcomes and its intercurrent events."""
