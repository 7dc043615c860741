# Makes penalised_reference.json with mgcv: Rscript tests/reference/make_penalised_reference.R
library(mgcv)
library(jsonlite)
set.seed(20261124)
n <- 60
x <- round(cbind(rnorm(n), rnorm(n), rbinom(n, 1, 0.4)), 3)
y <- rbinom(n, 1, plogis(0.8 * x[, 1] - 0.5 * x[, 3]))
centred <- sweep(x, 2, colMeans(x))
# A ridge penalty of inverse variance `precision` on all three, the intercept free. mgcv's criterion
# is minus the Laplace approximation of the log marginal likelihood, up to a constant.
fits <- lapply(c(25, 4, 1, 0.25), function(precision) {
  fit <- gam(y ~ centred, family = binomial, method = "REML",
             paraPen = list(centred = list(diag(3), sp = precision)),
             control = list(epsilon = 1e-12))
  list(precision = precision, coefficients = unname(coef(fit)), criterion = as.numeric(fit$gcv.ubre))
})
made <- list(program = paste("mgcv", packageVersion("mgcv")), r = R.version.string,
             date = format(Sys.Date()), x = centred, y = y, fits = fits)
write(toJSON(made, auto_unbox = TRUE, digits = 12, pretty = TRUE),
      "tests/reference/penalised_reference.json")
