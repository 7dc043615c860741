# Computes the further figures that tests/validation compares ours with, by programs that share no
# code with us. Run in this folder, after make_validation_reference.R, whose predictions it reads:
#
#   Rscript make_measures_reference.R
#
# It writes measures_reference.json.
# Debian: r-base-core, r-cran-car, r-cran-hmisc, r-cran-jsonlite, r-cran-proc, r-cran-rms,
# r-cran-rocr, r-cran-sandwich, r-cran-survival.

suppressPackageStartupMessages({
  library(car)
  library(jsonlite)
  library(pROC)
  library(rms)
  library(ROCR)
  library(sandwich)
  library(survival)
})

predictions <- read.csv("validation_reference.csv")
first <- predictions[predictions$repetition == 0, ]
threshold <- 0.45

# A mean, or a function of two, with the participant as the cluster: HC0 with G / (G - 1).
robust <- function(fit, data) {
  vcovCL(fit, cluster = data$participant, type = "HC0", cadjust = TRUE)
}
share <- function(data, wanted) {
  data$value <- as.numeric(wanted)
  fit <- lm(value ~ 1, data = data)
  list(value = unname(coef(fit)), se = sqrt(robust(fit, data)[1, 1]))
}
of_two <- function(data, a, b, expression) {
  long <- rbind(
    data.frame(participant = data$participant, which = "a", value = a),
    data.frame(participant = data$participant, which = "b", value = b)
  )
  fit <- lm(value ~ 0 + which, data = long)
  found <- deltaMethod(fit, expression, vcov. = robust(fit, long), parameterNames = c("a", "b"))
  list(value = found[1, "Estimate"], se = found[1, "SE"])
}
measure <- function(data) {
  positive <- data$probability >= threshold
  responded <- data$responded == 1
  error <- (data$probability - data$responded)^2
  list(
    scaled_brier = of_two(data, error, data$responded, "1 - a / (b * (1 - b))"),
    log_observed_expected = of_two(data, data$responded, data$probability, "log(a / b)"),
    sensitivity = share(data[responded, ], positive[responded]),
    specificity = share(data[!responded, ], !positive[!responded]),
    ppv = share(data[positive, ], responded[positive]),
    npv = share(data[!positive, ], !responded[!positive])
  )
}

# Average precision: the steps of ROCR's precision-recall curve, each repetition by itself and
# averaged; its error by leaving each participant out, which shares no formula with ours.
average_precision <- function(d) {
  curve <- performance(prediction(d$probability, d$responded), "prec", "rec")
  recall <- curve@x.values[[1]]
  precision <- curve@y.values[[1]]
  sum(diff(recall) * precision[-1])
}
of_repetitions <- function(d) mean(sapply(split(d, d$repetition), average_precision))
jackknife <- function(d, statistic) {
  people <- unique(d$participant)
  left <- sapply(people, function(p) statistic(d[d$participant != p, ]))
  sqrt((length(people) - 1) / length(people) * sum((left - mean(left))^2))
}
precision_of <- function(d) {
  list(value = of_repetitions(d), jackknife_se = jackknife(d, of_repetitions))
}

# The calibration curve: glm on the spline of Hmisc::rcspline.eval, band from sandwich,
# times G / (G - k) for G participants.
curve_of <- function(d) {
  log_odds <- qlogis(d$probability)
  knots <- quantile(log_odds, c(0.05, 0.35, 0.65, 0.95))
  bent <- Hmisc::rcspline.eval(log_odds, knots = knots, inclx = TRUE)
  fit <- glm(
    d$responded ~ bent, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100)
  )
  participants <- length(unique(d$participant))
  covariance <- vcovCL(fit, cluster = d$participant, type = "HC0", cadjust = FALSE) *
    participants / (participants - length(coef(fit)))
  levels <- sort(unique(d$probability))
  points <- levels[round(seq(1, length(levels), length.out = 7))]
  at <- cbind(1, Hmisc::rcspline.eval(qlogis(points), knots = knots, inclx = TRUE))
  center <- drop(at %*% coef(fit))
  half <- qnorm(0.975) * sqrt(rowSums((at %*% covariance) * at))
  distance <- abs(d$probability - fitted(fit))
  list(
    predicted = points, observed = plogis(center), low = plogis(center - half),
    high = plogis(center + half), ici = mean(distance),
    e50 = unname(quantile(distance, 0.5)), e90 = unname(quantile(distance, 0.9))
  )
}
printed <- val.prob(first$probability, first$responded, pl = FALSE)

# Two predictions of the same participants: the second is the first with noise.
RNGversion("4.2.0")
set.seed(20261124)
other <- round(plogis(qlogis(first$probability) * 0.5 + rnorm(nrow(first), sd = 0.8)), 2)
curves <- lapply(list(first$probability, other), function(p) {
  roc(first$responded, p, levels = c(0, 1), direction = "<", quiet = TRUE)
})
delong <- roc.test(curves[[1]], curves[[2]], method = "delong", paired = TRUE)
# Within strata by survival::concordance, whose influence is each row's.
by_row <- sapply(list(first$probability, other), function(p) {
  d <- data.frame(
    responded = first$responded, p = p,
    stratum = interaction(first$trial, first$arm, drop = TRUE)
  )
  found <- concordance(responded ~ p + strata(stratum), data = d, influence = 1)
  c(found$concordance, found$dfbeta)
})
change <- by_row[-1, 1] - by_row[-1, 2]
variance <- sum(sapply(c(0, 1), function(k) {
  parts <- change[first$responded == k]
  sum(parts^2) * length(parts) / (length(parts) - 1)
}))

version_of <- function(name) as.character(packageVersion(name))
write_json(
  list(
    made = list(
      date = as.character(Sys.Date()),
      script = "make_measures_reference.R",
      programs = c(
        list(R = paste(R.version$major, R.version$minor, sep = ".")),
        sapply(
          c("car", "Hmisc", "pROC", "rms", "ROCR", "sandwich", "survival"), version_of,
          simplify = FALSE
        )
      )
    ),
    threshold = threshold,
    one_repetition = c(
      measure(first),
      list(
        average_precision = precision_of(first), curve = curve_of(first),
        rms_val_prob = list(eavg = unname(printed["Eavg"]), e90 = unname(printed["E90"]))
      )
    ),
    repetitions = c(
      measure(predictions),
      list(average_precision = precision_of(predictions), curve = curve_of(predictions))
    ),
    gain = list(
      other = other,
      proc = list(
        value = unname(diff(rev(delong$estimate))),
        se = unname(diff(rev(delong$estimate)) / delong$statistic)
      ),
      within_trial_arm = list(value = unname(by_row[1, 1] - by_row[1, 2]), se = sqrt(variance))
    )
  ),
  "measures_reference.json",
  auto_unbox = TRUE, digits = NA, pretty = 2
)
