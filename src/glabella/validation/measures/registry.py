"""What each measure estimates, and where it comes from: the words that reports show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A measure in words.

    Parameters
    ----------
    label : str
        What tables call it.
    estimates : str
        What it estimates, in a sentence, with its ideal and its chance value.
    reference : str
        Where the method is published.
    """

    label: str
    estimates: str
    reference: str


DESCRIBED = {
    "auc": Measure(
        "Concordance, active arm",
        "The chance that a responder was given a higher prediction than a non-responder of the "
        "same trial, cohort, active arm and outer fold: 0.5 is chance, 1 perfect.",
        "DeLong et al., Biometrics 1988;44:837; LeDell et al., Electron J Stat 2015;9:1583",
    ),
    "auc_control": Measure(
        "Concordance, control arm",
        "The same in the control arms: what is as high there predicts recovery, not response to "
        "the treatment.",
        "DeLong et al., Biometrics 1988;44:837; LeDell et al., Electron J Stat 2015;9:1583",
    ),
    "auc_all": Measure(
        "AUC, all arms",
        "The same over all pairs of an outer fold: it also rewards knowing the arm or the trial.",
        "DeLong et al., Biometrics 1988;44:837; LeDell et al., Electron J Stat 2015;9:1583",
    ),
    "brier": Measure(
        "Brier score",
        "The mean squared distance of prediction and outcome: 0 is perfect, lower is better.",
        "Brier, Mon Weather Rev 1950;78:1",
    ),
    "log_loss": Measure(
        "Log loss",
        "The mean negative log likelihood of the outcome, in nats: lower is better.",
        "Good, J R Stat Soc B 1952;14:107",
    ),
    "calibration_slope": Measure(
        "Calibration slope",
        "By how much the log odds of response rise with one of predicted log odds: 1 is ideal, "
        "below 1 predictions are too extreme.",
        "Cox, Biometrika 1958;45:562; Van Calster et al., BMC Med 2019;17:230",
    ),
    "calibration_intercept": Measure(
        "Calibration intercept",
        "Calibration in the large, the log odds of response beyond those predicted: 0 is ideal, "
        "above 0 response is commoner than predicted.",
        "Cox, Biometrika 1958;45:562; Van Calster et al., BMC Med 2019;17:230",
    ),
    "average_precision": Measure(
        "Average precision",
        "The area under the precision-recall curve: the share of responders among those predicted "
        "at least as high, averaged over responders of all arms; the rate of response is chance, "
        "1 perfect.",
        "Davis and Goadrich, ICML 2006:233; Boyd et al., ECML PKDD 2013:451",
    ),
    "scaled_brier": Measure(
        "Scaled Brier score",
        "The share of the base rate's Brier score that the predictions take away: 1 is perfect, "
        "0 what the rate alone gives, below 0 worse than that.",
        "Steyerberg et al., Epidemiology 2010;21:128",
    ),
    "observed_expected": Measure(
        "O:E",
        "The responders that there were over those that were predicted: 1 is ideal, above 1 "
        "response is commoner than predicted.",
        "Debray et al., BMJ 2017;356:i6460",
    ),
    "ici": Measure(
        "ICI",
        "The integrated calibration index, the mean distance of the predictions from a smooth "
        "calibration curve: 0 is ideal; the interval holds what curves inside the band allow.",
        "Austin and Steyerberg, Stat Med 2019;38:4051",
    ),
    "sensitivity": Measure(
        "Sensitivity",
        "The share of responders whose prediction reaches the threshold.",
        "Pepe, Statistical Evaluation of Medical Tests, Oxford 2003, chapter 2",
    ),
    "specificity": Measure(
        "Specificity",
        "The share of the others whose prediction stays below the threshold.",
        "Pepe, Statistical Evaluation of Medical Tests, Oxford 2003, chapter 2",
    ),
    "ppv": Measure(
        "PPV",
        "The share of responders among those who reach the threshold; it goes with the rate of "
        "response.",
        "Pepe, Statistical Evaluation of Medical Tests, Oxford 2003, chapter 2",
    ),
    "npv": Measure(
        "NPV",
        "The share of others among those below the threshold; it goes with the rate of response.",
        "Pepe, Statistical Evaluation of Medical Tests, Oxford 2003, chapter 2",
    ),
}
