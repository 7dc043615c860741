"""What is saved, verified, loaded and asked for predictions; without mlflow."""
