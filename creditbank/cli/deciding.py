"""`creditbank decide` whole: the questions, and what binds a school to their answers."""

from creditbank.cli import decide, next_steps, pre_decisions, reverse, what_if

app = decide.app
app.command("pre-decision")(pre_decisions.pre_decision)
app.command("what-if")(what_if.what_if)
app.command("next-steps")(next_steps.next_steps)
app.command("nowhere")(reverse.nowhere)
app.command("exams")(reverse.exams)
