"""CDISC ADaM datasets as they are: ADSL, BDS and ADAE to participants and assessments."""
