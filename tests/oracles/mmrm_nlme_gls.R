# Repeated measures by nlme::gls as it comes: mmrm_nlme_gls.csv (its last digits depend on where gls stops). The data were drawn with seed 20261122 (60 people, 4
# visits, a random intercept, a fifth lost before visit 3) and are read here and not drawn anew.
library(nlme)
d <- read.csv("mmrm_data.csv"); x <- d[!is.na(d$change),]; x$visit <- factor(x$visit)
m <- gls(change~base+arm*visit, data=x, correlation=corSymm(form=~as.integer(visit)|id), weights=varIdent(form=~1|visit), method="REML")
L <- c(0,0,1,0,0,0,0,0,1); cf <- coef(m); effect <- function(m) c(sum(L*coef(m)), sqrt(c(t(L)%*%vcov(m)%*%L)), as.numeric(logLik(m)))
out <- data.frame(quantity=c(names(cf),"effect_visit4","se_effect_visit4","logLik_REML"), value=signif(c(cf, effect(m)), 9))
m2 <- gls(change~base+arm*visit, data=x, correlation=corCompSymm(form=~1|id), method="REML")
out <- rbind(out, data.frame(quantity=c("cs_effect_visit4","cs_se_effect_visit4","cs_logLik_REML"), value=signif(effect(m2), 9)))
a <- lm(change~base+arm, data=subset(d, visit==4))
out <- rbind(out, data.frame(quantity=c("ancova_visit4_effect","ancova_visit4_se"), value=signif(c(coef(a)["arm"], summary(a)$coefficients["arm",2]), 9)))
write.csv(out, "mmrm_nlme_gls.csv", row.names=FALSE)
