"""What holds in trials that a model was not trained on."""
