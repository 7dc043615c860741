# Recalibration of a model to new data, by R's glm and by val.prob of rms.
# Rscript tests/reference/make_recalibration_reference.R > tests/reference/recalibration_reference.json
suppressPackageStartupMessages(library(rms))
set.seed(20261128)
n <- 180
x <- cbind(rnorm(n), rnorm(n), rbinom(n, 1, 0.4))
told <- 0.4 + 0.8 * x[, 1] - 0.5 * x[, 2]
responded <- rbinom(n, 1, plogis(-0.5 + 0.5 * x[, 1] - 0.1 * x[, 2] + 1.1 * x[, 3]))
large <- glm(responded ~ 1 + offset(told), family = binomial)
logistic <- glm(responded ~ told, family = binomial)
revised <- glm(responded ~ told + x, family = binomial)
kept <- sum(dbinom(responded, 1, plogis(told), log = TRUE))
p <- function(one, df) pchisq(2 * (as.numeric(logLik(revised)) - one), df, lower.tail = FALSE)
v <- suppressWarnings(val.prob(plogis(told), responded, pl = FALSE))
num <- function(v) paste0("[", paste(format(v, digits = 17, trim = TRUE), collapse = ", "), "]")
cat("{\n")
cat(sprintf('"versions": "R %s, rms %s, 2026-11-28",\n', getRversion(), packageVersion("rms")))
cat('"x": [', paste(apply(x, 1, num), collapse = ",\n"), '],\n', sep = "")
cat('"log_odds":', num(told), ',\n"responded":', num(responded), ',\n')
cat('"in_the_large":', format(coef(large)[[1]], digits = 15), ',\n')
cat('"intercept_and_slope":', num(coef(logistic)), ',\n')
cat('"val_prob":', num(c(v["Intercept"], v["Slope"], v["C (ROC)"])), ',\n')
cat('"log_likelihoods":', num(c(kept, logLik(large), logLik(logistic), logLik(revised))), ',\n')
# x1 and x2 make up the log odds, so one of them is redundant beside them.
cat('"freedom": [', attr(logLik(revised), "df"), '],\n')
df <- attr(logLik(revised), "df")
cat('"p":', num(c(p(kept, df), p(as.numeric(logLik(large)), df - 1),
                  p(as.numeric(logLik(logistic)), df - 2))), '\n}\n')
