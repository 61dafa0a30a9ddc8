# Makes unequal.json from unequal.csv: R 4.2.2, survey 4.1.1. Run in this folder.
# Two strata with weights 1 and 9 whose slopes on margin a have opposite signs; t holds a stratum with one cluster.
suppressMessages(library(survey))
d <- read.csv("unequal.csv")
cases <- list()
case <- function(id, call, value) cases[[length(cases) + 1]] <<- list(id = id, call = call, value = value)
found <- function(x) list(estimate = unname(coef(x)), se = unname(SE(x)))

design <- svydesign(id = ~1, strata = ~s, weights = ~w, data = d)
total <- sum(d$w)
a <- data.frame(a = 0:1, Freq = c(.45, .55) * total)
b <- data.frame(b = 0:1, Freq = c(.3, .7) * total)
raked <- rake(design, list(~a, ~b), list(a, b), control = list(maxit = 500, epsilon = 1e-12))
calibrated <- calibrate(design, ~factor(a) + factor(b), c(total, .55 * total, .7 * total), calfun = "raking",
                        maxit = 500, epsilon = 1e-14)
post <- postStratify(design, ~a, a)
for (name in c("rake", "calibrate", "postStratify")) {
  made <- list(rake = raked, calibrate = calibrated, postStratify = post)[[name]]
  case(paste0(name, ".mean"), "svymean(~q, design)", found(svymean(~q, made)))
  case(paste0(name, ".by"), "svyby(~q, ~b, design, svymean)", found(svyby(~q, ~b, made, svymean)))
  case(paste0(name, ".total"), "svytotal(~q, design)", found(svytotal(~q, made)))
  case(paste0(name, ".glm"), "svyglm(q ~ b, design)", found(svyglm(q ~ b, made)))
  chi <- svychisq(~s + b, made)
  case(paste0(name, ".chisq"), "svychisq(~s + b, design)",
       list(F = unname(chi$statistic), df = unname(chi$parameter), p = unname(chi$p.value)))
}

clusters <- svydesign(id = ~c, strata = ~t, weights = ~w, data = d)
for (lonely in c("adjust", "remove")) {
  options(survey.lonely.psu = lonely)
  case(paste0(lonely, ".mean"), "svymean(~q, design)", found(svymean(~q, clusters)))
  case(paste0(lonely, ".by"), "svyby(~q, ~b, design, svymean)", found(svyby(~q, ~b, clusters, svymean)))
  case(paste0(lonely, ".total"), "svytotal(~q, design)", found(svytotal(~q, clusters)))
}
number <- function(x) paste0("[", paste(sprintf("%.15g", x), collapse = ", "), "]")
text <- vapply(cases, function(one) {
  values <- paste(sprintf('"%s": %s', names(one$value), vapply(one$value, number, "")), collapse = ", ")
  sprintf('  {"id": "%s", "call": "%s", "value": {%s}}', one$id, one$call, values)
}, "")
head <- sprintf(' "provenance": {"R": "%s", "survey": "%s", "script": "unequal.R", "data": "unequal.csv"},',
                R.version.string, packageVersion("survey"))
writeLines(c("{", head, ' "cases": [', paste(text, collapse = ",\n"), " ]", "}"), "unequal.json")
