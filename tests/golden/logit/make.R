# Reference values of logit and ordinal drivers: Rscript make.R (in this folder), R packages survey and MASS.
# Data: ../survey/apistrat.csv and ../survey/apiclus1.csv (survey::api). Everything is computed without cxlab.
suppressPackageStartupMessages({library(survey); library(MASS)})
options(digits = 15)
read <- function(file) {
  d <- read.csv(file.path("..", "survey", file))
  d$y <- as.numeric(d$sch.wide == "Yes")
  d$grade <- cut(d$api00, c(0, 550, 650, 750, 1000), labels = 1:4)
  d$size <- d$enroll / 100
  d
}
strat <- read("apistrat.csv"); clus <- read("apiclus1.csv")
x <- c("meals", "ell", "mobility", "size")
subsets <- lapply(0:15, function(k) x[bitwAnd(k, 2^(0:3)) > 0])
tight <- glm.control(epsilon = 1e-15, maxit = 100)
probability <- function(d, names, w) {
  f <- reformulate(if (length(names)) names else "1", "y")
  environment(f) <- environment()
  suppressWarnings(fitted(glm(f, quasibinomial, d, weights = w, control = tight)))
}
loglik <- function(d, names, w) {p <- probability(d, names, w); sum(w * (d$y * log(p) + (1 - d$y) * log1p(-p)))}
tjur <- function(d, names, w) {p <- probability(d, names, w); weighted.mean(p[d$y == 1], w[d$y == 1]) - weighted.mean(p[d$y == 0], w[d$y == 0])}
# Shapley values by walking through all orders of the four drivers
orders <- function(v) if (length(v) < 2) list(v) else unlist(lapply(seq_along(v), function(i) lapply(orders(v[-i]), function(o) c(v[i], o))), recursive = FALSE)
shapley <- function(worth) {
  gains <- sapply(orders(1:4), function(o) {
    before <- c(0, cumsum(2^(o - 1))); g <- numeric(4)
    g[o] <- diff(worth[before + 1]); g
  })
  rowMeans(gains)
}
relative <- function(d, w) {
  X <- as.matrix(d[x]); m <- apply(X, 2, weighted.mean, w)
  X <- sweep(X, 2, m); X <- sweep(X, 2, sqrt(apply(X^2, 2, weighted.mean, w)), "/")
  s <- svd(X * sqrt(w / sum(w)))
  Z <- X %*% s$v %*% diag(1 / s$d) %*% t(s$v)          # the orthonormal columns closest to X
  L <- s$v %*% diag(s$d) %*% t(s$v)                    # slopes of X on Z
  g <- suppressWarnings(glm(d$y ~ Z, family = quasibinomial, weights = w, control = tight))
  p <- fitted(g); b <- coef(g)[-1]
  r2 <- cov.wt(cbind(d$y, p), w / sum(w), cor = TRUE)$cor[1, 2]^2
  slogit <- sqrt(cov.wt(as.matrix(qlogis(p)), w / sum(w), method = "ML")$cov[1, 1])
  list(weights = as.vector(L^2 %*% (b * sqrt(r2) / slogit)^2), r2 = r2)
}
effects <- function(d, w) {                             # average marginal effects
  p <- probability(d, x, w)
  f <- suppressWarnings(glm(reformulate(x, "y"), quasibinomial, cbind(d, w = w), weights = w, control = tight))
  coef(f)[-1] * weighted.mean(p * (1 - p), w)
}
influence <- function(d, w, h = 1e-4) t(sapply(seq_along(w), function(i) {
  up <- down <- w; up[i] <- w[i] * (1 + h); down[i] <- w[i] * (1 - h)
  (effects(d, up) - effects(d, down)) / (2 * h * w[i])
}))
designs <- list(
  apistrat = svydesign(id = ~1, strata = ~stype, weights = ~pw, data = strat, fpc = ~fpc),
  apiclus1 = svydesign(id = ~dnum, weights = ~pw, data = clus, fpc = ~fpc))
number <- function(v) paste0("[", paste(formatC(v, digits = 15, format = "g"), collapse = ", "), "]")
out <- c()
put <- function(id, call, value) out <<- c(out, sprintf('  {"id": "%s", "call": "%s", "value": %s}', id, call, number(value)))
for (name in names(designs)) {
  d <- designs[[name]]$variables; w <- d$pw; design <- designs[[name]]
  ll <- sapply(subsets, function(s) loglik(d, s, w)); mcfadden <- 1 - ll / ll[1]
  put(paste0(name, ".mcfadden_by_subset"), "1 - logLik / logLik(null), glm(weights = pw), bit j of the place: driver j", mcfadden)
  put(paste0(name, ".mcfadden"), "mean over the 24 orders of the gains", shapley(mcfadden))
  put(paste0(name, ".tjur"), "mean over the 24 orders of the gains of mean(p | y = 1) - mean(p | y = 0)", shapley(sapply(subsets, function(s) if (length(s)) tjur(d, s, w) else 0)))
  r <- relative(d, w)
  put(paste0(name, ".relative"), "glm on orthonormal columns, Tonidandel & LeBreton 2010", r$weights)
  put(paste0(name, ".relative_r2"), "cor(y, p)^2", r$r2)
  g <- suppressWarnings(svyglm(reformulate(x, "y"), design, family = quasibinomial(), control = tight))
  put(paste0(name, ".log_odds"), "coef(svyglm(y ~ meals + ell + mobility + size, family = quasibinomial()))", coef(g)[-1])
  put(paste0(name, ".log_odds_se"), "SE(svyglm(...))", SE(g)[-1])
  put(paste0(name, ".ame"), "coef * weighted.mean(p (1 - p))", effects(d, w))
  put(paste0(name, ".ame_se"), "SE(svytotal(influence)), influence by refits with one weight moved by 1e-4", SE(svytotal(influence(d, w), design)))
  ll <- sapply(subsets, function(s) {
    dd <- d; dd$w <- w
    f <- reformulate(if (length(s)) s else "1", "grade")
    fit <- suppressWarnings(do.call(polr, list(f, data = dd, weights = dd$w, control = list(reltol = 1e-15, maxit = 5000))))
    -fit$deviance / 2
  })
  put(paste0(name, ".ordinal_by_subset"), "1 - logLik / logLik(null), MASS::polr(weights = pw)", 1 - ll / ll[1])
  put(paste0(name, ".ordinal"), "mean over the 24 orders of the gains", shapley(1 - ll / ll[1]))
  o <- svyolr(reformulate(x, "grade"), design, control = list(reltol = 1e-15, maxit = 5000))
  put(paste0(name, ".svyolr"), "coef(svyolr(grade ~ meals + ell + mobility + size))", o$coefficients)
  put(paste0(name, ".svyolr_se"), "SE(svyolr(...))", sqrt(diag(vcov(o)))[1:4])
  put(paste0(name, ".svyolr_zeta"), "svyolr(...)$zeta", o$zeta)
}
writeLines(c("{", sprintf('"provenance": {"R": "%s", "survey": "%s", "MASS": "%s", "script": "make.R"},', R.version.string,
  packageVersion("survey"), packageVersion("MASS")), '"cases": [', paste(out, collapse = ",\n"), "]}"), "logit.json")
