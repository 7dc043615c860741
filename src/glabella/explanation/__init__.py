"""SHAP values of held-out participants. Only here is shap imported."""
