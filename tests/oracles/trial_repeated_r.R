# Repeated measures with each covariance structure, optimised as far as it goes, and Kenward-Roger for a random intercept
# (the same model as compound symmetry). Reads mmrm_data.csv.
suppressMessages({library(nlme); library(lme4); library(pbkrtest)})
d <- read.csv("mmrm_data.csv"); x <- d[!is.na(d$change),]; x$visit <- factor(x$visit); x$v <- as.integer(x$visit)
L <- c(0,0,1,0,0,0,0,0,1); o <- NULL
add <- function(q, v) o <<- rbind(o, data.frame(quantity=q, value=signif(v, 10)))
ctl <- glsControl(maxIter=500, msMaxIter=1000, tolerance=1e-10, msTol=1e-14, returnObject=TRUE)
one <- function(name, cor, w=NULL) { m <- gls(change~base+arm*visit, data=x, correlation=cor, weights=w, method="REML", control=ctl)
  add(paste0(name,"_effect"), sum(L*coef(m))); add(paste0(name,"_se"), sqrt(c(t(L)%*%vcov(m)%*%L))); add(paste0(name,"_loglik"), as.numeric(logLik(m))) }
one("unstructured", corSymm(form=~v|id), varIdent(form=~1|visit))
one("compound_symmetry", corCompSymm(form=~1|id))
one("heterogeneous_compound_symmetry", corCompSymm(form=~1|id), varIdent(form=~1|visit))
one("autoregressive", corAR1(form=~v|id))
one("heterogeneous_autoregressive", corAR1(form=~v|id), varIdent(form=~1|visit))
m <- lmer(change~base+arm*visit+(1|id), data=x, REML=TRUE, control=lmerControl(optimizer="bobyqa", optCtrl=list(rhoend=1e-12)))
k <- KRmodcomp(m, matrix(L, 1)); add("kenward_roger_cs_df", getKR(k, "ddf")); V <- as.matrix(vcovAdj(m)); add("kenward_roger_cs_se", sqrt(c(t(L)%*%V%*%L))); add("kenward_roger_cs_p", getKR(k, "p.value"))
write.csv(o, "trial_repeated_r.csv", row.names=FALSE)
