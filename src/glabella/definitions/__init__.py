"""YAML definitions: read with line numbers, validated, located."""
