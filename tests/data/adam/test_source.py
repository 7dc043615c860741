"""What a source in ADaM must say, and what it may not."""

import pytest

from glabella.data.adam.source import AdamSource
from glabella.definitions.reader import Definition, parse_definition
from glabella.errors import DefinitionError


class Holder(Definition):
    kind: str
    source: AdamSource


WHOLE = """
kind: x
source:
  name: pilot
  adam: {adsl: adsl.xpt, bds: [adadas.xpt, adcibc.xpt, adadas.xpt], adae: adae.xpt}
  parameters: {adas_cog: ACTOT}
  treatment: actual
  population: all
  site: SITEGR1
  analysis_flag: none
  basetype: FIRST DOSE
  imputed: keep
  week: avisitn
  periods: all
  variables: {durdis_months: DURDIS}
  events: {headache: {AEDECOD: [Headache]}}
  scale: hamd17
  read: {adae.xpt: {encoding: latin-1}}
"""


def load(text: str) -> AdamSource:
    return parse_definition(text, Holder, name="pipelines/own.yaml").value.source


def test_each_file_is_named_once() -> None:
    source = load(WHOLE)
    assert source.files == ("adsl.xpt", "adadas.xpt", "adcibc.xpt", "adae.xpt")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("population", "populaton", "Did you mean 'population'"),
        ("parameters: {adas_cog: ACTOT}", "parameters: {}", "`parameters` go with"),
        (", adae: adae.xpt}", "}", "`events` go with"),
        ("[Headache]", "[]", "at least 1 entry"),
        ("durdis_months", "headache", "'headache' stands in more than one"),
        ("scale: hamd17", "scale: hamd170", "there is no scale 'hamd170'. Did you mean 'hamd17'"),
        ("{adae.xpt: {", "{adea.xpt: {", "Did you mean 'adae.xpt'"),
        ("week: avisitn", "week: visitnum", "'visitnum' is no value of 'source.week'"),
    ],
)
def test_what_can_not_be_meant_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load(WHOLE.replace(old, new))
    assert message in str(caught.value)
