# Final analysis after group-sequential trials: stage-wise ordering, by rpact. Normal data, two arms, one-sided 0.025.
suppressMessages(library(rpact)); setLogLevel("DISABLED"); res <- NULL
for (ty in c("asOF", "asP")) {
  d <- getDesignGroupSequential(informationRates = c(0.3, 0.6, 1), alpha = 0.025, sided = 1, typeOfDesign = ty)
  for (look in 1:3) for (last in c(0.7, 1.4)) {
    means <- c(0.2, 0.3, last)[1:look]; if (look < 3) means[look] <- last + 0.9
    n <- c(30, 30, 40)[1:look]
    x <- getDataset(n1 = n, n2 = n, means1 = means, means2 = rep(0, look), stDevs1 = rep(2, look), stDevs2 = rep(2, look))
    f <- suppressWarnings(getFinalConfidenceInterval(d, x, normalApproximation = TRUE))
    if (is.na(f$finalStage) || f$finalStage != look) next
    s <- getStageResults(d, x, normalApproximation = TRUE)
    p <- getFinalPValue(s)
    res <- rbind(res, data.frame(design = ty, look = look, plain = sum(n * means) / sum(n),
      z = signif(s$overallTestStatistics[look], 12), median = signif(f$medianUnbiased, 9),
      low = signif(f$finalConfidenceInterval[1], 9), high = signif(f$finalConfidenceInterval[2], 9),
      p_value = signif(p$pFinal, 9)))
  }
}
write.csv(res, "sequential_estimates_rpact.csv", row.names = FALSE)
print(res)
