"""Runs and models in MLflow. Only here is mlflow imported, and only when it is needed."""
