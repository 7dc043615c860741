"""Tables of SAS, SPSS and Stata."""
