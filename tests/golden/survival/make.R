# Reference values of survival analyses under a design: writes survival.csv and survival.json beside this script.
# Rscript make.R   (R 4.2.2, survey 4.1.1, survival 3.5-3)
library(survival); library(survey)
set.seed(20)
n <- 600
stratum <- rep(1:3, each = 200)
cluster <- rep(1:150, each = 4)
g <- sample(1:2, n, TRUE)
shared <- rep(rnorm(150, 0, .4), each = 4)
x <- round(pmin(pmax(6.5 + shared + rnorm(n, 0, 2), 0), 10))
z <- rbinom(n, 1, .4)
true <- rexp(n, .06 * exp(-.15 * (x - 6.5) + .4 * (g == 2) + shared))
end <- runif(n, 6, 30)
d <- data.frame(stratum, cluster, g, x, z, w = round(c(1.4, .7, .4)[stratum] * runif(n, .7, 1.3), 3),
                months = ceiling(pmin(true, end)), left = as.integer(true <= end))
write.csv(d, "survival.csv", row.names = FALSE)
des <- svydesign(~cluster, strata = ~stratum, weights = ~w, data = d, nest = TRUE)
at <- c(3, 6, 12, 18)
# svykm(se = TRUE) gives exp(-Nelson-Aalen) and its linearised error; svykm(se = FALSE) and survfit give Kaplan-Meier.
km <- function(sel) {
  s <- svykm(Surv(months, left) ~ 1, subset(des, g %in% sel), se = TRUE)
  p <- svykm(Surv(months, left) ~ 1, subset(des, g %in% sel), se = FALSE)
  f <- survfit(Surv(months, left) ~ 1, d[d$g %in% sel, ], weights = w)
  stopifnot(all.equal(summary(f, at)$surv, p$surv[findInterval(at, p$time)]))
  list(call = "svykm(..., se = FALSE); se: svykm(..., se = TRUE)", estimate = summary(f, at)$surv,
       se = sqrt(s$varlog[findInterval(at, s$time)]) * summary(f, at)$surv)
}
tight <- coxph.control(eps = 1e-14, toler.chol = 1e-15)
cx <- svycoxph(Surv(months, left) ~ x + z, des, control = tight)
plain <- coxph(Surv(months, left) ~ x + z, d, weights = w, control = tight)
zph <- cox.zph(plain, transform = "km", global = FALSE, terms = FALSE)
lr <- svylogrank(Surv(months, left) ~ g, des)
out <- list(
  km_all = km(1:2), km_1 = km(1), km_2 = km(2),
  cox = list(call = "svycoxph(Surv(months, left) ~ x + z, des); coxph(..., weights = w)", coef = unname(coef(cx)), plain = unname(coef(plain)),
             se_design = unname(sqrt(diag(vcov(cx)))), se_model = unname(sqrt(diag(plain$naive.var)))),
  zph = list(call = 'cox.zph(coxph(..., weights = w), transform = "km")', chisq = unname(zph$table[, "chisq"])),
  logrank = list(call = "svylogrank(Surv(months, left) ~ g, des)", chisq = unname(lr[[2]][1]), p = unname(lr[[2]][2])))
json <- function(v) {
  if (is.list(v)) return(paste0("{", paste(sprintf('"%s": %s', names(v), sapply(v, json)), collapse = ",\n "), "}"))
  s <- if (is.character(v)) sprintf('"%s"', gsub('"', '\\\\"', v)) else format(v, digits = 15, trim = TRUE)
  if (length(v) == 1) s else paste0("[", paste(s, collapse = ", "), "]")
}
writeLines(json(out), "survival.json")
