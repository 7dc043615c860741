# Makes pooling_reference.json with metafor: Rscript tests/reference/make_pooling_reference.R
library(metafor)
library(jsonlite)
# "adhoc" is Knapp and Hartung's standard error where it is not below that of known variances.
cases <- list(
  heterogeneous = list(yi = c(0.42, 1.31, -0.20, 0.85, 0.10, 1.90, 0.55, 0.31),
                       sei = c(0.21, 0.33, 0.18, 0.40, 0.25, 0.52, 0.15, 0.28)),
  homogeneous = list(yi = c(0.50, 0.55, 0.48, 0.61, 0.40, 0.52, 0.58),
                     sei = c(0.20, 0.30, 0.25, 0.41, 0.33, 0.22, 0.27)),
  four = list(yi = c(0.10, 0.90, 0.45, -0.30), sei = c(0.20, 0.25, 0.15, 0.35)),
  two = list(yi = c(0.2, 1.4), sei = c(0.2, 0.3)),
  alike = list(yi = c(0.5, 0.5), sei = c(0.2, 0.3))
)
rows <- lapply(cases, function(case) {
  fit <- rma(yi = case$yi, sei = case$sei, method = "REML", test = "adhoc",
             control = list(threshold = 1e-12, maxiter = 10000, stepadj = 0.5))
  profile <- confint(fit, control = list(tau2.max = 1e5))$random["tau^2", ]
  list(yi = case$yi, sei = case$sei, mean = as.numeric(fit$beta), se = fit$se,
       low = fit$ci.lb, high = fit$ci.ub, tau2 = fit$tau2,
       tau2_low = unname(profile["ci.lb"]), tau2_high = unname(profile["ci.ub"]),
       i2 = fit$I2, q = fit$QE, q_p = fit$QEp)
})
made <- list(program = paste("metafor", packageVersion("metafor")), r = R.version.string,
             date = format(Sys.Date()), cases = rows)
write(toJSON(made, auto_unbox = TRUE, digits = 12, pretty = TRUE),
      "tests/reference/pooling_reference.json")
