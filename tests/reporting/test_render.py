"""The report: one file, offline, every text escaped, drawn by a browser without complaint."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from glabella.reporting.record import read_record, write_record
from glabella.reporting.render import open_templates, render_report
from glabella.validation.measures.registry import MEASURES


@pytest.fixture
def record(trained):
    return read_record(Path(trained[1].report).parent / "record")


def test_the_page_needs_nothing_from_outside(trained):
    text = Path(trained[1].report).read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "<script" not in text
    assert "@import" not in text


def test_the_page_shows_finding_table_figures_and_provenance(trained):
    text = Path(trained[1].report).read_text()
    assert trained[1].finding in text
    assert text.count("<svg ") == 13
    assert text.count('href="data:text/csv;') == 13
    for name in trained[1].candidates:
        assert name in text
    assert trained[1].run_id in text
    assert "SIMULATED" not in text


def test_simulated_data_are_marked(record):
    content, figures = record
    text = render_report(dataclasses.replace(content, origin="simulated"), figures)
    assert "SIMULATED DATA" in text


def test_markup_in_names_is_escaped(record):
    content, figures = record
    evil = dataclasses.replace(
        content,
        analysis="<script>alert(1)</script>",
        participants=[{**content.participants[0], "trial": "<img src=x onerror=alert(1)>"}],
    )
    text = render_report(evil, figures)
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text


def test_a_stated_direction_is_shown_with_its_source_and_the_verdict(record):
    content, figures = record
    assert "Directions stated beforehand" not in render_report(content, figures)
    row = {
        "feature": "age_years", "label": "Age", "stated": "decreasing", "source": "A <b> 2020",
        "concordance": {"value": 0.41, "low": 0.33, "high": 0.49, "reason": None},
        "verdict": "contradicts",
    }  # fmt: skip
    text = render_report(dataclasses.replace(content, directions=[row]), figures)
    assert "the higher, the less likely response" in text
    assert '0.41 <span class="interval">(0.33 to 0.49)</span>' in text
    assert "contradict it" in text
    assert "A &lt;b&gt; 2020" in text


def test_intervals_are_marked_in_sentences_and_cells_and_nowhere_else(record):
    content, figures = record
    finding = (
        "Its slope is 0.9 (-0.1 to 1.9), in 91 to 97 of 100; version 1.2 to x, 2026-01-02 to 3."
    )
    text = render_report(dataclasses.replace(content, finding=finding), figures)
    shown = re.search(r'<p id="finding">(.*?)</p>', text)[1]
    assert shown == (
        'Its slope is 0.9 <span class="interval">(-0.1 to 1.9)</span>, in '
        '<span class="interval">91 to 97</span> of 100; version 1.2 to x, 2026-01-02 to 3.'
    )
    # An element inside a drawing or an attribute would break it.
    assert not re.search(r'<svg(?:(?!</svg>).)*class="interval"', text, flags=re.DOTALL)
    assert not re.search(r'="[^"]*<span', text)


def test_reasons_of_missing_figures_are_read_without_a_mouse(record):
    content, figures = record
    told = content.explanation["predictors"]
    first = {**told[0], "concordance": {
        **told[0]["concordance"],
        "control": {"value": None, "low": None, "high": None, "reason": "too <few> here"},
        "difference": {"value": None, "low": None, "high": None, "reason": "too <few> here"},
    }}  # fmt: skip
    explanation = {**content.explanation, "predictors": [first, *told[1:]]}
    text = render_report(dataclasses.replace(content, explanation=explanation), figures)
    table = text.split('aria-label="For whom: by arm, and beyond severity">')[1]
    assert re.search(r"<td>–<sup>(\d)</sup></td><td>–<sup>\1</sup></td>", table)
    notes = table.split("</table></div>")[1].split("</ol>")[0]
    assert notes.count("<li>too &lt;few&gt; here</li>") == 1
    assert '">–</abbr>' not in text
    figures = {"auc": None, "reasons": {"auc": "too <few> here"}}
    sentence = open_templates().from_string('{{ x|said("auc") }}').render(x=figures)
    assert sentence == "not estimable (too &lt;few&gt; here)"


def test_every_box_that_scrolls_is_reached_by_the_keyboard_and_named(trained):
    text = Path(trained[1].report).read_text()
    boxes = re.findall(r'<div class="wide"[^>]*>', text)
    assert len(boxes) > 20
    for box in boxes:
        assert 'tabindex="0"' in box and 'role="region"' in box
        assert re.search(r'aria-label="[^"]{3,}"', box)


def test_no_figure_compares_a_trial_with_nothing(trained):
    from glabella.reporting.figures.training import draw_groups

    procedure = trained[1].figures.validated.procedure
    assert draw_groups(procedure, left_out="trial", note="") is not None
    alone = dataclasses.replace(procedure, inside=None, groups=procedure.groups[:1])
    assert draw_groups(alone, left_out="trial", note="") is None


def test_ids_of_figures_do_not_meet(trained):
    ids = re.findall(r'\bid="([^"]+)"', Path(trained[1].report).read_text())
    assert len(ids) == len(set(ids))


def test_a_record_reads_back_as_it_was_written(record, tmp_path):
    content, figures = record
    write_record(tmp_path / "record", content, figures)
    assert read_record(tmp_path / "record") == (content, figures)


def test_a_browser_opens_the_page_offline_and_prints_it(trained, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed: it opens and prints the page")
    page = Path(trained[1].report).as_uri()
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
    ]  # fmt: skip
    drawn = subprocess.run(
        [browser, *flags, "--dump-dom", page], capture_output=True, text=True, timeout=120
    )
    assert drawn.returncode == 0
    assert trained[1].finding in drawn.stdout
    pdf = tmp_path / "report.pdf"
    subprocess.run(
        [browser, *flags, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert pdf.read_bytes().startswith(b"%PDF")


def test_what_reading_left_aside_stands_with_the_participants(record):
    content, figures = record
    note = "visits.xpt, ACTOT: 3 of 9 records were imputed and are left out."
    page = render_report(dataclasses.replace(content, data_notes=[note]), figures)
    section = page.split('<section id="participants">')[1].split("</section>")[0]
    assert note in section


def test_every_measure_stands_in_a_table_with_what_it_estimates_and_its_reference(trained):
    page = Path(trained[1].report).read_text()
    for measure in MEASURES.values():
        title = f"{measure.estimates} {measure.reference}.".replace("'", "&#39;")
        assert f'<abbr title="{title}">{measure.label}</abbr>' in page
    assert page.count("<h4>Further measures</h4>") == 4
    assert "PPV and NPV are at a predicted probability of 0.50." in " ".join(page.split())


def test_gains_over_the_references_are_shown_for_each_candidate(trained):
    page = Path(trained[1].report).read_text()
    section = page.split("<h3>Gain over the references</h3>")[1].split("</table>")[0]
    for name in ("ridge", "xgboost"):
        for against in ("prevalence", "arm_only", "severity"):
            assert f"<td>{name} over {against}</td>" in section


def test_every_page_allows_its_own_styles_and_pictures_and_nothing_else(checkout):
    folder = checkout / "src" / "glabella" / "reporting" / "templates"
    pages = [path for path in folder.rglob("*.jinja") if "<head>" in path.read_text()]
    assert len(pages) == 6
    for path in pages:
        head = path.read_text().partition("<head>")[2]
        assert head.startswith('\n<meta charset="utf-8">\n{% include "policy.html.jinja" %}\n')
        # A policy that forbids scripts would break a page that has some.
        assert "<script" not in path.read_text()


def test_the_policy_comes_before_everything_that_it_is_for(trained):
    page = Path(trained[1].report).read_text()
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    assert policy.start() < page.index("<style>")
    assert policy[1] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    assert not re.search(r"\son\w+=", page)


def test_characters_that_are_not_shown_are_escaped_in_a_page(record):
    content, figures = record
    odd = dataclasses.replace(content, analysis="a\x1b[31mb\u202ec\u2028d", finding="x\x9by\n\tz")
    page = render_report(odd, figures)
    assert "a\\x1b[31mb\\u202ec\\u2028d" in page
    assert "x\\x9by\n\tz" in page
    assert not set("\x1b\x9b\u202e\u2028") & set(page)


def test_the_terms_of_the_page_are_explained_on_it_and_no_others(record):
    page = render_report(*record)
    for term in ("candidate", "headline-concordance", "reference", "procedure"):
        assert f'<dt id="term-{term}">' in page
    assert '<dt id="term-rehearsal">' not in page
    assert '<a href="#terms">' in page
