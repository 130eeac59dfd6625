"""`creditbank decide` whole: the questions, and what binds a school to their answers."""

from creditbank.cli import decide, pre_decisions

app = decide.app
app.command("pre-decision")(pre_decisions.pre_decision)
