"""The words for an outcome."""

from glabella.domain.outcome_words import OutcomeWords


def test_response_has_words_of_its_own():
    words = OutcomeWords()
    assert (words.having, words.lacking) == ("responders", "non-responders")
    assert (words.one_having, words.one_lacking) == ("a responder", "a non-responder")
    assert (words.to_have, words.heading) == ("to respond", "Responders")


def test_an_event_is_named_in_every_form():
    words = OutcomeWords("birth at term")
    for form in ("having", "lacking", "one_having", "one_lacking", "to_have", "heading"):
        assert "birth at term" in getattr(words, form)
        assert "respon" not in getattr(words, form)
