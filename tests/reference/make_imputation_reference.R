# Computes the figures that tests of multiple imputation compare ours with, by mice. Run in this
# folder:
#
#   Rscript make_imputation_reference.R
#
# It writes imputation_reference.csv (a simulated trial with drop-out) and
# imputation_reference.json. Debian: r-base-core, r-cran-mice, r-cran-jsonlite.

suppressPackageStartupMessages({
  library(jsonlite)
  library(mice)
})

RNGversion("4.2.0")
set.seed(20261124)

# Rubin's rules, for one parameter: estimates, their variances, participants.
pool <- function(q, u, n) {
  p <- pool.scalar(q, u, n = n, k = 1)
  half <- qt(0.975, p$df) * sqrt(p$t)
  list(q = q, u = u, n = n, value = p$qbar, total = p$t, df = p$df,
       low = p$qbar - half, high = p$qbar + half)
}
cases <- list(
  pool(c(0.40, 0.55, 0.38, 0.61, 0.47), c(0.04, 0.05, 0.045, 0.04, 0.05), 60),
  pool(c(1.02, 1.03, 1.01), rep(0.2, 3), 200),
  pool(rnorm(20, 0.3, 0.5), runif(20, 0.01, 0.02), 45),
  pool(rnorm(100, -1, 0.05), runif(100, 0.3, 0.4), 1000),
  pool(c(-0.2, 0.9), c(0.01, 0.03), 12)
)

# A trial of two arms with visits at weeks 0, 2, 4 and 6; who is worse is likelier to leave.
n <- 160
arm <- rep(c("active", "control"), each = n / 2)
w0 <- rnorm(n, 24, 4)
w2 <- w0 - ifelse(arm == "active", 6, 3) + rnorm(n, 0, 4)
w4 <- 0.4 * w0 + 0.6 * w2 - ifelse(arm == "active", 3, 1) + rnorm(n, 0, 3)
w6 <- 0.2 * w2 + 0.8 * w4 - 1 + rnorm(n, 0, 3)
w2[runif(n) < 0.05] <- NA
gone4 <- runif(n) < plogis(-3 + 0.08 * ifelse(is.na(w2), w0, w2))
w4[gone4] <- NA
gone6 <- gone4 | runif(n) < plogis(-3.5 + 0.12 * ifelse(is.na(w4), w0, w4))
w6[gone6] <- NA
trial <- data.frame(arm, w0 = round(w0, 2), w2 = round(w2, 2), w4 = round(w4, 2), w6 = round(w6, 2))
write.csv(trial, "imputation_reference.csv", row.names = FALSE)

# Each arm on its own, by Bayesian linear regression, 4000 completed sets.
m <- 4000
rates <- sapply(c("active", "control"), function(a) {
  part <- trial[trial$arm == a, -1]
  made <- mice(part, m = m, method = "norm", maxit = 10, printFlag = FALSE, seed = 1)
  by_set <- sapply(seq_len(m), function(i) {
    done <- complete(made, i)
    c(mean(done$w6 <= 0.5 * done$w0), mean(done$w6))
  })
  c(rate = mean(by_set[1, ]), rate_sd = sd(by_set[1, ]),
    score = mean(by_set[2, ]), score_sd = sd(by_set[2, ]))
})

write_json(
  list(
    programs = list(R = R.version.string, mice = as.character(packageVersion("mice"))),
    date = "2026-11-23",
    pooled = cases,
    imputations = m,
    arms = apply(rates, 2, as.list)
  ),
  "imputation_reference.json", auto_unbox = TRUE, digits = 16, pretty = TRUE
)
