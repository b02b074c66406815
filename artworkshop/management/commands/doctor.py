"""Examine an installation."""

import sys

from django.core.management.base import BaseCommand

from artworkshop.diagnosis import Finding, Level, examine


class Command(BaseCommand):
    """Say in words what is good, what could be better and what is wrong, and what to do."""

    help = "Examine this installation, and say in words what to do; status 1 when something is wrong."
    requires_system_checks = []

    def handle(self, **_: object) -> None:
        """Show each finding as it comes."""
        findings = []
        for finding in examine():
            self.stdout.write(self._line(finding))
            findings.append(finding)
        problems = sum(finding.level is Level.PROBLEM for finding in findings)
        self.stdout.write(f"\nProblems: {problems}." if problems else "\nAll is well.")
        sys.exit(1 if problems else 0)

    def _line(self, finding: Finding) -> str:
        # Django's styles are plain where the output is no terminal.
        paint = {Level.GOOD: self.style.SUCCESS, Level.HINT: self.style.WARNING, Level.PROBLEM: self.style.ERROR}
        line = f"{paint[finding.level](f'{finding.level.value:<8}')} {finding.words}"
        return f"{line}\n{'':<8} {finding.advice}" if finding.advice else line
