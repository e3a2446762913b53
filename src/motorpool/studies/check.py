"""Check study files: ``python -m motorpool.studies.check``."""

from motorpool.evidence.published import list_published, load_published
from motorpool.studies.study import load_study

for s in list_published():
    try:
        p = load_published(s)
        if p.run is None:
            print(s, "not run:", p.not_run)
            continue
        st = load_study(s)
        print(
            s,
            "OK",
            len(st.endpoints),
            "scored endpoints,",
            len(st.populations),
            "populations,",
            {x: pop.scenario.horizon_months for pop in st.populations for x in pop.arms},
        )
    except Exception as e:
        print(s, "PROBLEM", str(e)[:1500])
