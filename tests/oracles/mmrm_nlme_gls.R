library(nlme); library(survival)
# deterministic synthetic trial: 60 subjects, 4 visits, two arms, some missing
set.seed(20261122); n<-60; v<-1:4; id<-rep(1:n,each=4); arm<-rep(rep(0:1,n/2),each=4); base<-rep(round(rnorm(n,22,8)),each=4); b<-rep(rnorm(n,0,2.5),each=4); vis<-rep(v,n)
y<-round(-0.3*vis+ 0.9*arm*vis/2 + 0.05*(base-22)+b+rnorm(4*n,0,1.8),2)
d<-data.frame(id,arm,base,visit=vis,change=y); drop<-runif(n)<.2; d$change[d$id %in% which(drop) & d$visit>=3]<-NA
write.csv(d,"mmrm_data.csv",row.names=FALSE); x<-d[!is.na(d$change),]; x$visit<-factor(x$visit)
m<-gls(change~base+arm*visit,data=x,correlation=corSymm(form=~as.integer(visit)|id),weights=varIdent(form=~1|visit),method="REML")
L<-c(0,0,1,0,0,0,0,0,1); cf<-coef(m); names(cf); est<-sum(L*cf); se<-sqrt(c(t(L)%*%vcov(m)%*%L))
out<-data.frame(quantity=c(names(cf),"effect_visit4","se_effect_visit4","logLik_REML"),value=signif(c(cf,est,se,as.numeric(logLik(m))),9)); 
m2<-gls(change~base+arm*visit,data=x,correlation=corCompSymm(form=~1|id),method="REML"); out<-rbind(out,data.frame(quantity=c("cs_effect_visit4","cs_se_effect_visit4","cs_logLik_REML"),value=signif(c(sum(L*coef(m2)),sqrt(c(t(L)%*%vcov(m2)%*%L)),as.numeric(logLik(m2))),9)))
