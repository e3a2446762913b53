# A small survival data set and what R's survival package says of it: survival_data.csv and survival_r.csv.
# The committed data were drawn after other draws of the same seed, so they are read here and not drawn anew:
#   times exponential with rates 0.1 (arm 0) and 0.05 (arm 1), censored evenly between 4 and 26; 40 people per arm.
library(survival)
s <- read.csv("survival_data.csv")
lr <- survdiff(Surv(time, event) ~ arm, s)
cx <- coxph(Surv(time, event) ~ arm, s, ties = "efron")
km <- summary(survfit(Surv(time, event) ~ arm, s), times = c(6, 12), rmean = 12)
o <- data.frame(
  quantity = c("logrank_chisq", "cox_loghr_efron", "cox_se", "km_arm0_t6", "km_arm0_t12", "km_arm1_t6",
               "km_arm1_t12", "rmst12_arm0", "rmst12_arm1"),
  value = signif(c(lr$chisq, coef(cx), sqrt(vcov(cx)), km$surv, km$table[, "rmean"]), 9)
)
write.csv(o, "survival_r.csv", row.names = FALSE)
