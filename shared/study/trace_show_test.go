package study

import (
	"fmt"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

func askAnswer(r protocol.AskReply) string {
	if r.Kind == protocol.AskWait {
		return fmt.Sprintf("wait %gs", r.RetryAfterSeconds)
	}
	w := r.Work
	if w == nil {
		return string(r.Kind)
	}
	text := fmt.Sprintf("work t%d", w.Trial)
	if w.Attempt > 0 {
		text += fmt.Sprintf(" attempt%d", w.Attempt)
	}
	text += fmt.Sprintf(" rung%d %d..%d", w.Rung, w.FromEpoch, w.ToEpoch)
	if w.Fold != nil {
		text += fmt.Sprintf(" fold%d", *w.Fold)
	}
	return text
}

// show returns a view as text.
func (tr *trace) show(what string, a args) (string, error) {
	s := tr.state
	var stage protocol.Stage
	if len(a.plain) > 1 {
		stage = protocol.Stage(a.plain[1])
	}
	switch what {
	case "counts":
		return counts(s.Counts(stage)), nil
	case "stage":
		return strings.TrimSpace(fmt.Sprintf("stage %s", s.Stage())), nil
	case "best":
		return "best" + numbers(s.Best(stage)), nil
	case "pareto":
		return "pareto" + numbers(s.Pareto(stage)), nil
	case "cost":
		return fmt.Sprintf("cost %gs", s.CostSeconds(stage)), nil
	case "budget":
		b := s.Spent(stage)
		return fmt.Sprintf("budget %d epochs, %.0fs, %.2g dollars", b.Epochs, b.GPUHours*3600, b.Dollars), nil
	case "spent":
		text := fmt.Sprintf("spent %g", s.SpentDollars())
		if budget, ok := s.BudgetDollars(); ok {
			text += fmt.Sprintf(" of %g", budget)
		}
		if reason := s.Stopped(); reason != "" {
			text += ", stopped " + reason
		}
		return text, nil
	case "accepted":
		text := "accepted"
		for _, r := range s.Accepted(stage) {
			text += fmt.Sprintf(" %d/%d/%d", r.Trial, r.Rung, r.Attempt)
		}
		return text, nil
	case "candidates":
		text := "candidates"
		for _, c := range s.Candidates() {
			text += fmt.Sprintf(" t%d", c.Trial)
			switch {
			case c.Failed:
				text += " failed"
			case c.Value != nil:
				text += fmt.Sprintf(" f1=%.4g ece=%.4g majority=%.4g", c.Value.F1Macro, c.Value.ECE, c.Baseline.MajorityF1Macro)
			}
		}
		return text, nil
	case "chosen":
		c, ok := s.Chosen()
		if !ok {
			return "chosen none", nil
		}
		return fmt.Sprintf("chosen t%d", c.Trial), nil
	case "trial":
		t, ok := s.Trial(a.trial)
		if !ok {
			return "none", nil
		}
		text := fmt.Sprintf("%s rung%d", t.State, t.Rung)
		if v, ok := t.Value(); ok {
			text += fmt.Sprintf(" f1=%.4g ece=%.4g", v.F1Macro, v.ECE)
		}
		if t.From != nil {
			text += fmt.Sprintf(" from t%d", *t.From)
		}
		if t.Violation > 0 {
			text += fmt.Sprintf(" violation=%.4g", t.Violation)
		}
		if t.Requeues > 0 {
			text += fmt.Sprintf(" requeues=%d", t.Requeues)
		}
		if t.Failure != nil {
			text += fmt.Sprintf(" | %s: %s", t.Failure.Kind, t.Failure.Message)
		}
		return text, nil
	}
	return "", fmt.Errorf("%q cannot be shown", what)
}

func trials(list []int) (text string) {
	for _, n := range list {
		text += fmt.Sprintf(" t%d", n)
	}
	return text
}

func numbers(list []Trial) (text string) {
	for _, t := range list {
		text += fmt.Sprintf(" t%d", t.Number)
	}
	return text
}

func counts(c protocol.Counts) string {
	return fmt.Sprintf("queued=%d running=%d paused=%d completed=%d failed=%d of %d",
		c.Queued, c.Running, c.Paused, c.Completed, c.Failed, c.Limit)
}
