suppressMessages(library(rpact)); o <- NULL
for (ty in c("asOF","asP","asKD","asHSD")) for (b in c("bsOF","bsP")) for (bind in c(TRUE,FALSE)) {
 g <- if (ty=="asKD") 2 else if (ty=="asHSD") -2 else NA
 info <- c(0.4,0.7,1)
 d <- if (is.na(g)) getDesignGroupSequential(kMax=3, informationRates=info, alpha=0.025, beta=0.1, sided=1, typeOfDesign=ty, typeBetaSpending=b, bindingFutility=bind) else getDesignGroupSequential(kMax=3, informationRates=info, alpha=0.025, beta=0.1, sided=1, typeOfDesign=ty, gammaA=g, typeBetaSpending=b, bindingFutility=bind)
 ch <- getDesignCharacteristics(d)
 o <- rbind(o, data.frame(design=ty, futility=b, binding=bind, parameter=g, look=1:3, information=info, critical_z=signif(d$criticalValues,9), futility_z=signif(c(d$futilityBounds, NA),9), inflation=signif(ch$inflationFactor,9), expected_null=signif(ch$averageSampleNumber0,9), expected_alternative=signif(ch$averageSampleNumber1,9)))
}
write.csv(o, "group_sequential_futility_rpact.csv", row.names=FALSE);
