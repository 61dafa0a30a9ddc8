# Writes factors.csv: lavaan under sampling weights and clusters, with robust (sandwich) standard errors, and a second-order factor.
# Run in this folder: Rscript factors.R
suppressMessages(library(lavaan))
mobi <- read.csv("../../../data/mobi/mobi.csv")
mobi$w <- 0.5 + (seq_len(nrow(mobi)) %% 7) / 4      # weights and clusters that tests make in the same way
mobi$cluster <- (seq_len(nrow(mobi)) - 1) %/% 3
model <- "
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Satisfaction ~ Image + Value
Loyalty ~ Satisfaction + Image
"
higher <- "
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Brand =~ Image + Quality + Value
Loyalty ~ Brand
"
told <- function(case, fit) {
  measures <- fitMeasures(fit)
  standard <- standardizedSolution(fit)
  plain <- parameterEstimates(fit)
  rbind(
    data.frame(case, part = "fit", lhs = names(measures), op = "", rhs = "", est = as.numeric(measures), se = NA),
    data.frame(case, part = "standardized", standard[c("lhs", "op", "rhs")], est = standard$est.std, se = standard$se),
    data.frame(case, part = "plain", plain[c("lhs", "op", "rhs")], est = plain$est, se = plain$se)
  )
}
out <- rbind(
  told("plain", sem(model, mobi)),
  told("robust", sem(model, mobi, estimator = "MLR")),
  told("weighted", sem(model, mobi, estimator = "MLR", sampling.weights = "w")),
  told("clustered", sem(model, mobi, estimator = "MLR", sampling.weights = "w", cluster = "cluster")),
  told("higher", sem(higher, mobi))
)
out$est <- formatC(out$est, digits = 15, format = "g")
out$se <- formatC(out$se, digits = 15, format = "g")
write.csv(out, "factors.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "lavaan", as.character(packageVersion("lavaan")), "\n")
