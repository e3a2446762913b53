suppressMessages({library(survival); library(cmprsk)})
set.seed(20261126); n <- 120
d <- data.frame(arm=rep(0:1, n/2), stratum=rep(0:2, each=n/3), baseline=round(rnorm(n, 22, 8), 1))
t1 <- rexp(n, 0.5*exp(-0.5*d$arm + 0.02*(d$baseline-22) + 0.3*d$stratum)); t2 <- rexp(n, 0.25); ce <- runif(n, 0.3, 4)
d$time <- ceiling(20*pmin(t1, t2, ce))/20   # ties on purpose
d$cause <- ifelse(pmin(t1, t2) > ce, 0, ifelse(t1 < t2, 1, 2))
d$event <- as.integer(d$cause == 1)
write.csv(d, "trial_survival_data.csv", row.names=FALSE)
o <- NULL; add <- function(q, v) o <<- rbind(o, data.frame(quantity=q, value=signif(v, 10)))
add("logrank_chisq", survdiff(Surv(time,event)~arm, d)$chisq)
add("stratified_logrank_chisq", survdiff(Surv(time,event)~arm+strata(stratum), d)$chisq)
add("peto_chisq", survdiff(Surv(time,event)~arm, d, rho=1)$chisq)
ctl <- coxph.control(eps=1e-12, iter.max=60)
for (ti in c("efron","breslow")) { m <- coxph(Surv(time,event)~arm, d, ties=ti, control=ctl); add(paste0("cox_",ti), coef(m)[1]); add(paste0("cox_se_",ti), sqrt(vcov(m)[1,1]))
 m <- coxph(Surv(time,event)~arm+baseline+strata(stratum), d, ties=ti, control=ctl); add(paste0("cox_adjusted_",ti), coef(m)[1]); add(paste0("cox_adjusted_se_",ti), sqrt(vcov(m)[1,1])) }
k <- survfit(Surv(time,event)~arm, d, conf.type="log-log"); s <- summary(k, times=c(0.5,1,2), rmean=2.5)
for (i in 1:6) { nm <- paste0("km_arm", (i-1)%/%3, "_t", s$time[i]); add(nm, s$surv[i]); add(paste0(nm,"_se"), s$std.err[i]); add(paste0(nm,"_low"), s$lower[i]); add(paste0(nm,"_high"), s$upper[i]); add(paste0(nm,"_at_risk"), s$n.risk[i]) }
tb <- summary(k, rmean=2.5)$table; for (i in 1:2) { add(paste0("rmst_arm",i-1), tb[i,"rmean"]); add(paste0("rmst_se_arm",i-1), tb[i,"se(rmean)"]); add(paste0("median_arm",i-1), tb[i,"median"]) }
ci <- cuminc(d$time, d$cause, d$arm, cencode=0); add("gray_chisq_cause1", ci$Tests[1,1]); add("gray_chisq_cause2", ci$Tests[2,1])
tp <- timepoints(ci, c(0.5,1,2)); for (a in 0:1) for (j in 1:3) { add(paste0("incidence_arm",a,"_t",c(0.5,1,2)[j]), tp$est[paste(a,1),j]); add(paste0("incidence_arm",a,"_t",c(0.5,1,2)[j],"_se"), sqrt(tp$var[paste(a,1),j])) }
m <- coxph(Surv(time,cause==2)~arm, d, control=ctl); add("cause2_cox", coef(m)[1]); add("cause2_cox_se", sqrt(vcov(m)[1,1]))
write.csv(o, "trial_survival_r.csv", row.names=FALSE)
