# R 4.2.2, clubSandwich 0.5.8: run in this folder, writes panel.csv and clusters.json.
suppressMessages({library(clubSandwich)})
set.seed(7)
G <- 12; T <- 10
panel <- expand.grid(wave = 1:T, unit = 1:G)
panel$x <- round(50 + 3 * rnorm(G)[panel$unit] + panel$wave / 4 + rnorm(nrow(panel), sd = panel$unit / 4), 2)
panel$z <- round(rnorm(nrow(panel)), 2)
panel$y <- round(0.03 * panel$x + rnorm(G)[panel$unit] + rnorm(T)[panel$wave] / 2 + rnorm(nrow(panel)) * sqrt(panel$unit) / 3, 2)
panel <- panel[-c(3, 17, 18, 19, 20, 21, 55, 56, 101, 119, 120), ]      # clusters of unequal size
write.csv(panel[c("unit", "wave", "y", "x", "z")], "panel.csv", row.names = FALSE, quote = FALSE)

one <- function(model, name, cluster) {
  test <- coef_test(model, vcov = "CR2", cluster = cluster, test = "Satterthwaite", coefs = name)
  cr1 <- sqrt(diag(as.matrix(vcovCR(model, cluster, type = "CR1S"))))[name]
  sprintf('{"estimate": %.15g, "se": %.15g, "df": %.15g, "p": %.15g, "cr1s": %.15g}', test$beta, test$SE, test$df_Satt, test$p_Satt, cr1)
}
means <- aggregate(cbind(y, x) ~ unit, panel, mean)
api <- read.csv("../survey/apiclus1.csv")
cases <- c(
  pooled = one(lm(y ~ x + z, panel), "x", panel$unit),
  unit_effects = one(lm(y ~ x + z + factor(unit), panel), "x", panel$unit),
  both_effects = one(lm(y ~ x + factor(unit) + factor(wave), panel), "x", panel$unit),
  both_effects_z = one(lm(y ~ x + z + factor(unit) + factor(wave), panel), "x", panel$unit),
  units = one(lm(y ~ x, means), "x", means$unit),
  districts = one(lm(api00 ~ ell + meals, api), "ell", api$dnum),
  districts_meals = one(lm(api00 ~ ell + meals, api), "meals", api$dnum)
)
writeLines(paste0("{\n", paste(sprintf('  "%s": %s', names(cases), cases), collapse = ",\n"), "\n}"), "clusters.json")
