# Writes participants.sas7bdat, which tests/data/ingest/ reads: no Python program writes this
# format. The participants are invented, and those of test_files.py there. Run in this folder:
#
#   Rscript make_sas7bdat.R
#
# Written on 2026-11-23 by R 4.2.2 with haven 2.5.1 (Debian: r-base-core, r-cran-haven).

library(haven)

participants <- data.frame(
  id = c("P-001", "P-002", "P-003"),
  site = c("007", "010", ""),
  name = c("M\u00fcller", "O'Neil", "Lee; Kim"),
  age = c(40, NA, 41.5),
  sex = c(1, 2, NA),
  screened = as.Date(c("2020-01-02", NA, "1950-03-04"))
)
labels <- c("Participant", "Site", "Surname", "Age (years)", "Sex", "Day of screening")
for (i in seq_along(labels)) attr(participants[[i]], "label") <- labels[i]

# SAS itself does not open everything that write_sas() writes (see its help page); that the file is
# read as it was meant is what matters here.
write_sas(participants, "participants.sas7bdat")
