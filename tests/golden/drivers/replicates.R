# Makes replicates.csv: R 4.2.2, survey 4.1.1. Run in this folder.
# LMG from its definition, a loop over all subsets of drivers, under replicate weights: its standard error by withReplicates.
# replicates_bootstrap.csv, replicates_groups.csv: cx.replicate_weights of ../survey/apistrat.csv (weight pw, stratum stype),
# method "bootstrap" (60 replicates) and "groups" (25 groups), seed 11, one column per replicate. drop-one weights are R's own.
suppressMessages(library(survey))
strat <- read.csv("../survey/apistrat.csv")
clus <- read.csv("../survey/apiclus1.csv")

r2 <- function(w, y, x) {
  if (ncol(x) == 0) return(0)
  z <- cbind(1, x)
  fit <- qr(z * sqrt(w))
  e <- qr.resid(fit, y * sqrt(w))
  1 - sum(e^2) / sum(w * (y - sum(w * y) / sum(w))^2)
}

# players: list of column numbers; always: columns in every model
lmg <- function(w, y, x, players, always = integer(0)) {
  p <- length(players)
  value <- sapply(0:(2^p - 1), function(s) {
    members <- which(bitwAnd(s, 2^(0:(p - 1))) > 0)
    r2(w, y, x[, c(always, unlist(players[members])), drop = FALSE])
  })
  sapply(1:p, function(j) {
    sets <- which(bitwAnd(0:(2^p - 1), 2^(j - 1)) == 0) - 1
    size <- sapply(sets, function(s) sum(bitwAnd(s, 2^(0:(p - 1))) > 0))
    share <- factorial(size) * factorial(p - 1 - size) / factorial(p)
    sum(share * (value[sets + 2^(j - 1) + 1] - value[sets + 1]))
  })
}

frame <- function(d) as.matrix(cbind(d[, c("meals", "ell", "mobility", "enroll")], H = d$stype == "H", M = d$stype == "M"))
plain <- function(w, d) lmg(w, d$api00, frame(d), list(1, 2, 3, 4))
factors <- function(w, d) lmg(w, d$api00, frame(d), list(1, 2, 4, c(5, 6)), always = 3)

base <- svydesign(id = ~1, strata = ~stype, weights = ~pw, data = strat)
given <- function(file, scale) {
  w <- as.matrix(read.csv(file))
  svrepdesign(data = strat, weights = ~pw, repweights = w, type = "other", combined.weights = TRUE,
              scale = scale(ncol(w)), rscales = rep(1, ncol(w)), mse = TRUE)
}
designs <- list(
  bootstrap = given("replicates_bootstrap.csv", function(n) 1 / n),
  groups = given("replicates_groups.csv", function(n) (n - 1) / n),
  `drop-one` = as.svrepdesign(base, type = "JKn", mse = TRUE),
  clusters = as.svrepdesign(svydesign(id = ~dnum, weights = ~pw, data = clus), type = "JK1", mse = TRUE)
)
rows <- list()
for (name in names(designs)) for (kind in c("plain", "factors")) {
  if (name == "clusters" && kind == "factors") next  # a school type is missing from some replicates
  found <- withReplicates(designs[[name]], list(plain = plain, factors = factors)[[kind]])
  numbers <- cbind(as.numeric(coef(found)), as.numeric(SE(found)), matrix(as.numeric(vcov(found)), ncol = 4))
  rows[[length(rows) + 1]] <- paste(name, kind, 1:4, apply(numbers, 1, function(r) paste(sprintf("%.17g", r), collapse = ",")), sep = ",")
}
writeLines(c(sprintf("# R %s; survey %s; withReplicates(design, lmg)", getRversion(), packageVersion("survey")),
             "design,case,driver,estimate,se,cov1,cov2,cov3,cov4", unlist(rows)), "replicates.csv")
