# Saturated normal model of incomplete rows: lavaan's EM (missing = "fiml" with fixed.x = FALSE).
# mobi.csv: the data set `mobi` of R package seminr 2.3.4, five columns; missing answers planted here.
# Rscript make.R <mobi.csv> <folder>
arguments <- commandArgs(trailingOnly = TRUE)
library(lavaan)
set.seed(20261122)
whole <- read.csv(arguments[1])[, c("CUEX1", "IMAG1", "PERQ1", "PERV1", "CUSA1")]
rows <- nrow(whole)
data <- whole
data$CUEX1[runif(rows) < .15] <- NA
data$IMAG1[runif(rows) < plogis(-1.5 + .6 * (7 - whole$CUSA1))] <- NA   # more often missing where satisfaction is low
data$PERV1[runif(rows) < .10 + .25 * (whole$PERQ1 < 7)] <- NA
data$CUSA1[runif(rows) < .05] <- NA
write.csv(data, file.path(arguments[2], "mobi_gaps.csv"), row.names = FALSE)
names <- colnames(data)
pairs <- combn(names, 2)
model <- paste(c(
  apply(pairs, 2, paste, collapse = " ~~ "),
  paste(names, "~~", names),
  paste(names, "~ 1")
), collapse = "\n")
fit <- lavaan(model, data = data, missing = "fiml", fixed.x = FALSE, em.h1.tol = 1e-15, em.h1.iter.max = 100000,
              h1 = TRUE, control = list(rel.tol = 1e-15, eval.max = 10000, iter.max = 10000))
implied <- lavInspect(fit, "implied")
h1 <- lavInspect(fit, "h1")
cat("lavaan", as.character(packageVersion("lavaan")), R.version.string, "\n")
print(max(abs(implied$cov - h1$cov)))
print(max(abs(implied$mean - h1$mean)))
show <- function(x) paste(formatC(x, digits = 15, format = "g"), collapse = ", ")
order <- names
cov <- h1$cov[order, order]; mean <- h1$mean[order]
out <- c("{",
  sprintf('  "provenance": "%s, lavaan %s: lavaan(saturated model, missing = \\"fiml\\", fixed.x = FALSE), lavInspect(fit, \\"h1\\"); make.R",',
          R.version.string, packageVersion("lavaan")),
  sprintf('  "columns": ["%s"],', paste(order, collapse = '", "')),
  sprintf('  "loglik": %s,', show(as.numeric(logLik(fit)))),
  sprintf('  "mean": [%s],', show(mean)),
  sprintf('  "covariance": [%s]', paste(apply(cov, 1, function(r) paste0("[", show(r), "]")), collapse = ",\n    ")),
"}")
writeLines(out, file.path(arguments[2], "fiml.json"))
