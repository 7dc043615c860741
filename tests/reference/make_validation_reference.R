# Computes the figures that tests/validation compares ours with, by programs that share no code
# with us. Run in this folder:
#
#   Rscript make_validation_reference.R
#
# It writes validation_reference.csv (simulated predictions) and validation_reference.json.
# Debian: r-base-core, r-cran-proc, r-cran-rms, r-cran-sandwich, r-cran-survival, r-cran-jsonlite.

suppressPackageStartupMessages({
  library(jsonlite)
  library(pROC)
  library(rms)
  library(sandwich)
  library(survival)
})

RNGversion("4.2.0")
set.seed(20261123)

n <- 120
repeats <- 4
folds <- 5
trial <- rep(c("T1", "T2", "T3"), length.out = n)
arm <- ifelse(runif(n) < 0.5, "active", "control")
log_odds <- rnorm(n, mean = ifelse(arm == "active", 0.4, -0.8), sd = 0.9)
responded <- rbinom(n, 1, plogis(log_odds))
# The model of each repetition sees the truth with noise and exaggerates it. Rounding makes ties,
# across the classes too, which is where programs differ.
predictions <- do.call(rbind, lapply(seq_len(repeats) - 1, function(r) {
  data.frame(
    participant = seq_len(n),
    trial = trial,
    arm = arm,
    repetition = r,
    fold = sample(rep(seq_len(folds) - 1, length.out = n)),
    responded = responded,
    probability = pmin(pmax(round(plogis(0.2 + 1.3 * log_odds + rnorm(n, sd = 0.7)), 2), 0.01), 0.99)
  )
}))
write.csv(predictions, "validation_reference.csv", row.names = FALSE, quote = FALSE)
predictions <- read.csv("validation_reference.csv")
first <- predictions[predictions$repetition == 0, ]

# One repetition, one stratum -----------------------------------------------------------------
curve <- roc(first$responded, first$probability, levels = c(0, 1), direction = "<", quiet = TRUE)
strict <- glm.control(epsilon = 1e-14, maxit = 100)
fit_slope <- function(d) {
  glm(responded ~ qlogis(probability), family = binomial, data = d, control = strict)
}
fit_large <- function(d) {
  glm(responded ~ 1, offset = qlogis(probability), family = binomial, data = d, control = strict)
}
printed <- val.prob(first$probability, first$responded, pl = FALSE)

# Repetitions: the participant is the cluster -------------------------------------------------
# HC1 counts participants, G / (G - k): sandwich's own, G / (G - 1) x (N - 1) / (N - k), would shrink
# the error where the same predictions are repeated.
clustered <- function(fit, data, type) {
  participants <- length(unique(data$participant))
  adjust <- if (type == "HC1") participants / (participants - length(coef(fit))) else NULL
  covariance <- vcovCL(
    fit, cluster = data$participant, type = "HC0", cadjust = is.null(adjust)
  )
  sqrt(diag(covariance * if (is.null(adjust)) 1 else adjust))
}
slope_one <- fit_slope(first)
large_one <- fit_large(first)
slope_all <- fit_slope(predictions)
large_all <- fit_large(predictions)
mean_with_error <- function(values) {
  fit <- lm(value ~ 1, data = data.frame(value = values))
  list(value = unname(coef(fit)), se = unname(clustered(fit, predictions, "HC0")))
}
brier <- (predictions$probability - predictions$responded)^2
losses <- -dbinom(predictions$responded, 1, predictions$probability, log = TRUE)

# Concordance within strata, by survival::concordance, whose dfbeta is each row's influence. Summed
# by participant, a variance for each class with n / (n - 1), as DeLong has it, added up.
within <- function(d, stratum) {
  d$stratum <- stratum
  found <- concordance(responded ~ probability + strata(stratum), data = d, influence = 1)
  by_person <- rowsum(as.vector(found$dfbeta), d$participant)[, 1]
  class <- tapply(d$responded, d$participant, `[`, 1)[names(by_person)]
  variance <- sum(sapply(c(0, 1), function(k) {
    parts <- by_person[class == k]
    sum(parts^2) * length(parts) / (length(parts) - 1)
  }))
  counts <- colSums(rbind(found$count))
  list(
    value = unname(found$concordance),
    se = sqrt(variance),
    pairs = unname(sum(counts[c("concordant", "discordant", "tied.x")]))
  )
}
cell <- function(d) interaction(d$trial, d$arm, d$repetition, d$fold, drop = TRUE)

# Wilson's interval is prop.test's without continuity correction.
wilson <- lapply(list(c(0, 8), c(3, 11), c(12, 12), c(20, 41)), function(g) {
  interval <- suppressWarnings(prop.test(g[1], g[2], correct = FALSE)$conf.int)
  list(events = g[1], n = g[2], low = interval[1], high = interval[2])
})

version_of <- function(name) as.character(packageVersion(name))
write_json(
  list(
    made = list(
      date = "2026-11-23",
      script = "make_validation_reference.R",
      programs = c(
        list(R = paste(R.version$major, R.version$minor, sep = ".")),
        sapply(c("pROC", "rms", "sandwich", "survival"), version_of, simplify = FALSE)
      )
    ),
    one_repetition = list(
      n = nrow(first),
      events = sum(first$responded),
      auc = as.numeric(auc(curve)),
      auc_delong_variance = var(curve, method = "delong"),
      auc_delong_se = sqrt(var(curve, method = "delong")),
      calibration_slope = unname(coef(slope_one)[2]),
      calibration_slope_se = unname(clustered(slope_one, first, "HC1")[2]),
      calibration_in_the_large = unname(coef(large_one)[1]),
      calibration_in_the_large_se = unname(clustered(large_one, first, "HC1")[1]),
      brier = mean((first$probability - first$responded)^2),
      log_loss = -mean(dbinom(first$responded, 1, first$probability, log = TRUE)),
      rms_val_prob = list(
        c_index = unname(printed["C (ROC)"]),
        slope = unname(printed["Slope"]),
        brier = unname(printed["Brier"])
      ),
      within_trial_arm_fold = within(first, cell(first))
    ),
    repetitions = list(
      repeats = repeats,
      calibration_slope = unname(coef(slope_all)[2]),
      calibration_slope_se = unname(clustered(slope_all, predictions, "HC1")[2]),
      calibration_in_the_large = unname(coef(large_all)[1]),
      calibration_in_the_large_se = unname(clustered(large_all, predictions, "HC1")[1]),
      brier = mean_with_error(brier),
      log_loss = mean_with_error(losses),
      within_trial_arm_fold = within(predictions, cell(predictions))
    ),
    wilson = wilson
  ),
  "validation_reference.json",
  auto_unbox = TRUE, digits = NA, pretty = 2
)
