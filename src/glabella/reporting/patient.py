"""The page that explains one patient's prediction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from textwrap import fill
from typing import Any

from glabella.domain.outcome_words import OutcomeWords
from glabella.reporting.figures.drawing import COLOURS, Drawn, finish_figure, open_pyplot
from glabella.reporting.render import open_templates, render_figure

# A group tells the values of all its features, which would leave no room for the bars.
_NAME_WIDTH = 36


@dataclass(frozen=True)
class Step:
    """What one feature adds.

    Parameters
    ----------
    label, value : str
        The feature's words and the patient's value.
    effect : float
        On the scale of the attributions.
    low, high : float or None
        The range of it over refits; None where none were kept.
    before, after : float
        The chance of response without and with it, features taken in the order of the page.
    is_patient : bool
        Whether it is a property of the patient; the arm is none.
    is_beyond_noise : bool or None
        Whether it stands out from features that tell nothing; None where that was not tested.
    """

    label: str
    value: str
    effect: float
    low: float | None
    high: float | None
    before: float
    after: float
    is_patient: bool
    is_beyond_noise: bool | None = None

    @property
    def words(self) -> str:
        """The step as a sentence."""
        noise = (
            " In training it was not distinguished from noise."
            if self.is_beyond_noise is False
            else ""
        )
        return f"{self.label}, {self.value}: {self._describe_effect()}.{noise}"

    def _describe_effect(self) -> str:
        before, after = _format_percent(self.before), _format_percent(self.after)
        if before == after:
            return "hardly changes the chance"
        verb = "raises" if self.after > self.before else "lowers"
        return f"{verb} the chance from {before} to {after}"


@dataclass(frozen=True)
class PatientPage:
    """What the page shows.

    Parameters
    ----------
    model, description, origin, endpoint, event : str
        Of the model: its name, question, kind of data, what the outcome is, and the words for it.
    arm : str or None
        The words of the arm asked about.
    probability : float
        Predicted.
    low, high : float or None
        Its range over refits.
    base : float
        What the model starts from.
    refits : int
        How many were kept.
    refitted_to : str
        What each was fitted to, in words.
    scale, method : str
        Of the attributions.
    steps : tuple of Step
        The arm, then the patient's features, the largest first.
    alike : tuple of str
        How the most similar training participants fared, by arm.
    alike_size : int or None
        How many they are; None where that would tell a count under ten.
    is_alike_all : bool
        Whether they are all of them, too few to single out similar ones.
    is_inside : bool
        Whether the patient lies within what the model was trained on.
    domain_note : str
        What lies outside, or is not recorded.
    finding : str
        The first sentence of the model's report.
    intended_use, not_for : str
        Of the model.
    """

    model: str
    description: str
    origin: str
    endpoint: str
    event: str
    arm: str | None
    probability: float
    low: float | None
    high: float | None
    base: float
    refits: int
    refitted_to: str
    scale: str
    method: str
    steps: tuple[Step, ...]
    alike: tuple[str, ...]
    alike_size: int | None
    is_alike_all: bool
    is_inside: bool
    domain_note: str
    finding: str
    intended_use: str
    not_for: str

    @property
    def sentence(self) -> str:
        """The prediction as it would be read aloud."""
        under = f" under {self.arm}" if self.arm else ""
        words = (
            f"Of a hundred patients like this one, the model expects about "
            f"{round(100 * self.probability)} {OutcomeWords(self.event).to_have}{under}"
        )
        if self.low is not None and self.high is not None:
            words += (
                f". The lowest and highest of {self.refits} refits to {self.refitted_to} are "
                f"{round(100 * self.low)} and {round(100 * self.high)}"
            )
        return f"{words}."

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values.

        Returns
        -------
        dict
            All fields, the ``sentence``, and each step's ``words``.
        """
        return {
            **asdict(self),
            "sentence": self.sentence,
            "steps": [{**asdict(step), "words": step.words} for step in self.steps],
        }


def draw_waterfall(page: PatientPage) -> Drawn:
    """Draw how the chance of response builds up.

    Parameters
    ----------
    page : PatientPage
        With its steps.

    Returns
    -------
    Drawn
        Image and data.
    """
    pyplot = open_pyplot()
    names = [fill(f"{step.label}: {step.value}", _NAME_WIDTH) for step in page.steps]
    lines = sum(max(name.count("\n"), 1) for name in names)
    figure, axis = pyplot.subplots(figsize=(7.0, 0.5 * lines + 1.8))
    for place, step in enumerate(page.steps, 1):
        raises = step.after >= step.before
        axis.barh(
            place,
            step.after - step.before,
            left=step.before,
            height=0.6,
            color=COLOURS[0] if raises else COLOURS[1],
            hatch=None if raises else "///",
            edgecolor="white",
            label=step.label,
        )
        axis.plot([step.after, step.after], [place, place + 1], color="#767676", linewidth=0.8)
        axis.annotate(
            f"{100 * (step.after - step.before):+.0f}",
            (max(step.before, step.after), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axis.plot([page.base], [0], marker="|", markersize=14, color="#1c2126", label="start")
    axis.plot([page.base, page.base], [0, 1], color="#767676", linewidth=0.8)
    end = len(page.steps) + 1
    axis.plot([page.probability], [end], "D", color="#1c2126", label="predicted")
    if page.low is not None and page.high is not None:
        axis.plot([page.low, page.high], [end, end], color="#1c2126", label="range over refits")
    axis.set_yticks(range(end + 1), ["start", *names, "predicted"])
    axis.set_ylim(end + 0.6, -0.6)
    axis.set_xlim(0, 1)
    axis.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axis.set_xlabel(f"Chance of {page.event}")
    return finish_figure(figure, "SIMULATED DATA" if page.origin == "simulated" else "")


def render_patient(page: PatientPage) -> str:
    """Render the page.

    Parameters
    ----------
    page : PatientPage
        What it shows.

    Returns
    -------
    str
        HTML that needs nothing else; every text of the data is escaped.
    """
    caption = (
        "From what the model starts with to what it predicts, step by step. Hatched bars lower "
        "the chance. Figures are percentage points."
    )
    drawn = draw_waterfall(page)
    return (
        open_templates()
        .get_template("patient.html.jinja")
        .render(page=page, figure=render_figure("waterfall.svg", drawn, caption, page.model))
    )


def _format_percent(chance: float) -> str:
    return f"{round(100 * chance)} %"
