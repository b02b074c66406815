"""Views: fetch for this person, a form, one use case, then redirect or render."""
