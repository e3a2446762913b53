"""The sections of a design file about rules that change a trial while it runs, and about several hypotheses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from motorpool.simulation.safety import adverse_event_names
from motorpool.therapies.fields import InputModel, Name, Probability, Within, nearest_name, refusal

Share = Probability
Part = Annotated[float, Within(0.01, 0.99)]


class Reestimation(InputModel):
    """The size is set anew once a part of the planned people has finished.

    blinded_variance: from the variance of the first endpoint's change in everybody, arms hidden, for `effect`.
    promising_zone: raised to restore `power` where conditional power is at least `promising_from`; the two stages are
    then joined by a combination test with weights fixed beforehand. largest_factor: most people, as a multiple.
    """

    method: Literal["blinded_variance", "promising_zone"]
    at: Part
    largest_factor: Annotated[float, Within(1, 10, above=True)]
    power: Annotated[float, Within(0.5, 0.999)] = 0.9
    effect: Annotated[float, Within(0, 1000, above=True)] | None = None
    promising_from: Part | None = None

    @model_validator(mode="after")
    def _complete(self) -> Reestimation:
        for key, method in (("effect", "blinded_variance"), ("promising_from", "promising_zone")):
            needed, given = self.method == method, getattr(self, key) is not None
            if needed != given:
                message = f"is missing; {method} needs it" if needed else f"has a meaning only for {method}"
                raise refusal(message, allowed=f"a number, for {method}", at=key)
        if self.promising_from is not None and self.promising_from >= self.power:
            message = "must lie below power, from which on the size stays as planned"
            raise refusal(message, allowed="a share below power", at="promising_from")
        return self


def _adverse_event(value: Any) -> Any:
    names = adverse_event_names()
    if value not in names:
        nearest = nearest_name(str(value)[:60], names)
        hint = f". Did you mean {nearest}?" if nearest else ""
        allowed = "one of " + ", ".join(names)
        raise refusal(f"must be {allowed}{hint}", allowed=allowed)
    return value


AdverseEventId = Annotated[
    str, BeforeValidator(_adverse_event), WithJsonSchema({"enum": list(adverse_event_names())})
]


class Safety(InputModel):
    """Stops the trial for harm when the chance that the risk exceeds `acceptable_risk` is above `certainty`.

    The risk is that of at least one of these adverse events in a treated person, with a beta prior
    (`prior_events`, `prior_without`); it is looked at each time so many treated people have been followed to the end.
    """

    adverse_events: tuple[AdverseEventId, ...]
    every_treated: Annotated[int, Within(1, 20_000, "patients")]
    acceptable_risk: Part
    certainty: Annotated[float, Within(0.5, 0.9999)]
    prior_events: Annotated[float, Within(0, 1000, above=True)]
    prior_without: Annotated[float, Within(0, 1000, above=True)]

    @model_validator(mode="after")
    def _some(self) -> Safety:
        if not self.adverse_events:
            raise refusal("must not be empty", allowed="at least one adverse event", at="adverse_events")
        return self


class ArmDropping(InputModel):
    """At one look the worse arms end; who would have gone to them goes to the arms that stay and the control.

    Either the best `keep_best` arms stay, or all whose statistic reaches `lowest_z`. Arms are tested at the end by the
    closed combination test with Dunnett's p values.
    """

    at: Part
    keep_best: Annotated[int, Within(1, 5, "arms")] | None = None
    lowest_z: Annotated[float, Within(-5, 5)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> ArmDropping:
        if (self.keep_best is None) == (self.lowest_z is None):
            allowed = "either keep_best or lowest_z"
            raise refusal(f"must have {allowed}", allowed=allowed)
        return self


class ResponseAdaptive(InputModel):
    """After each look people go more often to the arm whose mean change is better so far.

    looks: parts of the planned people, followed to the end; before the first the arms' ratios hold. exponent: of the
    probability to be best, 0 for equal shares. control_share: fixed share of the control. test: of the first endpoint;
    `stages` joins the people between two looks, whose shares were fixed, with weights fixed beforehand, which keeps the
    error also while the times change; `pooled` analyses everybody as if the shares had been fixed; `rerandomisation`
    compares everybody, and draws the allocation again by the same rule.
    """

    looks: tuple[Part, ...] = Field(min_length=1, max_length=9)
    exponent: Annotated[float, Within(0, 5, above=True)] = 0.5
    smallest_share: Share = 0.1
    control_share: Part | None = None
    test: Literal["stages", "pooled", "rerandomisation"] = "stages"

    @model_validator(mode="after")
    def _rising(self) -> ResponseAdaptive:
        if list(self.looks) != sorted(set(self.looks)):
            raise refusal("must rise from look to look", allowed="rising shares below 1", at="looks")
        return self


class Multiplicity(InputModel):
    """How the endpoints of an arm share the error.

    fixed_sequence: in their order, each only after all before it were won. graphical: `weights` by endpoint, and
    `transitions`, by endpoint, where the share of one that was won goes.
    """

    procedure: Literal["fixed_sequence", "bonferroni", "holm", "hochberg", "graphical"] = "fixed_sequence"
    weights: dict[Name, Share] = Field(default_factory=dict)
    transitions: dict[Name, dict[Name, Share]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> Multiplicity:
        graphical = self.procedure == "graphical"
        if graphical != bool(self.weights):
            message = (
                "are missing; a graphical procedure needs them" if graphical else "are only for graphical"
            )
            raise refusal(message, allowed="a share for each endpoint, for graphical", at="weights")
        if self.transitions and not graphical:
            raise refusal("are only for graphical", allowed="leave them out", at="transitions")
        if sum(self.weights.values()) > 1.0 + 1e-9:
            raise refusal("add up to more than 1", allowed="shares that add up to at most 1", at="weights")
        for name, passed in self.transitions.items():
            if sum(passed.values()) > 1.0 + 1e-9 or name in passed:
                message = "must add up to at most 1 and go to other endpoints"
                raise refusal(message, allowed="shares of other endpoints", at=f"transitions.{name}")
        return self
