package study

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// args are a line's words after the command.
type args struct {
	plain   []string          // words without a meaning of their own
	set     map[string]string // key=value
	trial   int               // tN
	attempt *int              // attemptN
	rung    *int              // rungN
	token   *int              // tokenN
}

func parseArgs(words []string) (args, error) {
	a := args{set: make(map[string]string)}
	for _, word := range words {
		if key, value, ok := strings.Cut(word, "="); ok {
			a.set[key] = value
			continue
		}
		i := strings.IndexAny(word, "0123456789-")
		var n int
		var err error
		if i > 0 {
			if n, err = strconv.Atoi(word[i:]); err != nil {
				i = -1
			}
		}
		switch {
		case i > 0 && word[:i] == "t":
			a.trial = n
		case i > 0 && word[:i] == "attempt":
			a.attempt = &n
		case i > 0 && word[:i] == "rung":
			a.rung = &n
		case i > 0 && word[:i] == "token":
			a.token = &n
		default:
			a.plain = append(a.plain, word)
		}
	}
	return a, nil
}

// command sends a request and returns the answer as text.
func (tr *trace) command(name string, a args) (string, []Event, error) {
	s, study := tr.state, tr.settings.Study
	if other, ok := a.set["study"]; ok {
		study = other
	}
	word := func(i int) string {
		if i < len(a.plain) {
			return a.plain[i]
		}
		return ""
	}
	stage := protocol.Stage(word(0))
	req := protocol.StageRequest{Study: study, Stage: stage}
	switch name {
	case "plan":
		r, ev, err := s.Plan(tr.now, req)
		return fmt.Sprintf("planned %d", r.Trials), ev, err
	case "check":
		r, ev, err := s.Check(tr.now, req)
		answer := "open"
		switch {
		case r.Done && (r.Stopped != "" || r.Draining), r.Stopped != "" && r.Draining:
			return "", nil, fmt.Errorf("check says two things: %+v", r)
		case r.Done:
			answer = "done"
		case r.Stopped != "":
			answer = "stopped " + r.Stopped
		case r.Draining:
			answer = "draining"
		}
		if len(r.Requeued) > 0 {
			answer += " requeued" + trials(r.Requeued)
		}
		return answer + " | " + counts(r.Counts), ev, err
	case "promote":
		r, ev, err := s.Promote(tr.now, req)
		return strings.TrimSpace("promoted "+string(r.Next)) + trials(r.Trials), ev, err
	case "stop":
		r, ev, err := s.Stop(tr.now, protocol.StopRequest{Study: study, Reason: word(0)})
		return strings.TrimSpace("stopped " + strings.Join(r.Slots, " ")), ev, err
	case "resume":
		req := protocol.ResumeRequest{Study: study}
		if text, ok := a.set["budget"]; ok {
			budget, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return "", nil, err
			}
			req.BudgetDollars = &budget
		}
		_, ev, err := s.Resume(tr.now, req)
		return "resumed", ev, err
	case "finish":
		_, ev, err := s.Finish(tr.now, protocol.StudyRequest{Study: study})
		return "finished", ev, err
	case "ask":
		slot, stage := word(0), s.Stage()
		if word(1) != "" {
			stage = protocol.Stage(word(1))
		}
		token := tr.tokens[slot] + 1
		if a.token != nil {
			token = int64(*a.token)
		}
		tr.tokens[slot] = max(tr.tokens[slot], token)
		r, ev, err := s.Ask(tr.now, protocol.AskRequest{Study: study, Stage: stage, Slot: slot, Token: token})
		return askAnswer(r), ev, err
	case "tell":
		req, err := tr.tell(a)
		if err != nil {
			return "", nil, err
		}
		req.Study = study
		r, ev, err := s.Tell(tr.now, req)
		if r.Kind == protocol.TellContinue {
			return fmt.Sprintf("continue rung%d %d..%d | lease %s", r.Rung, r.FromEpoch, r.ToEpoch, r.LeaseUntil.Sub(tr.now)), ev, err
		}
		return string(r.Kind), ev, err
	case "heartbeat":
		attempt, _ := tr.place(a)
		r, ev, err := s.Heartbeat(tr.now, protocol.HeartbeatRequest{Study: study, Trial: a.trial, Attempt: attempt})
		if r.Lost {
			return "lost", ev, err
		}
		return fmt.Sprintf("lease %s", r.LeaseUntil.Sub(tr.now)), ev, err
	case "release":
		r, ev, err := s.ReleaseSlot(tr.now, protocol.ReleaseSlotRequest{Study: study, Slot: word(0), Cause: protocol.FailureKind(word(1))})
		return "released" + trials(r.Requeued), ev, err
	}
	return "", nil, fmt.Errorf("%q is not a command", name)
}

// place returns the attempt and rung that a line names, by default the trial's present.
func (tr *trace) place(a args) (attempt, rung int) {
	if t, ok := tr.state.Trial(a.trial); ok {
		attempt, rung = t.Attempt, t.Rung
	}
	if a.attempt != nil {
		attempt = *a.attempt
	}
	if a.rung != nil {
		rung = *a.rung
	}
	return attempt, rung
}

// tell builds a request. f1=x and ece=y stand for every epoch of the rung and every seed;
// seedN=a,b/e,… gives one seed's epochs, F1-macro and, after a slash, ECE; from=n numbers
// the first of them.
func (tr *trace) tell(a args) (protocol.TellRequest, error) {
	req := protocol.TellRequest{Trial: a.trial}
	req.Attempt, req.Rung = tr.place(a)
	o := &req.Outcome
	number := func(key string, or float64) (x float64) {
		if text, ok := a.set[key]; ok && text != "none" {
			var err error
			if x, err = strconv.ParseFloat(text, 64); err != nil {
				panic(err) // a mistake in the trace
			}
			return x
		}
		return or
	}
	o.CostSeconds, o.PeakMemoryBytes = number("cost", 1), int64(number("memory", 1))
	if len(a.plain) > 1 && a.plain[0] == "failed" {
		o.Failed = &protocol.Failure{Kind: protocol.FailureKind(a.plain[1]), Message: strings.Join(a.plain[2:], " ")}
	}
	p, stage := tr.settings.A, protocol.StageA
	if t, ok := tr.state.Trial(a.trial); ok {
		stage = t.Stage
	}
	seeds := p.Seeds
	switch stage {
	case protocol.StageB:
		seeds = tr.settings.B.Seeds
	case protocol.StageC:
		seeds = tr.settings.C.Seeds
		o.Baseline = &protocol.Baseline{MajorityF1Macro: number("majority", 0.4), UntrainedF1Macro: number("untrained", 0.3)}
		if a.set["majority"] == "none" {
			o.Baseline = nil
		}
	}
	from, to := 0, 0
	if rungs := tr.state.Rungs(stage); req.Rung >= 0 && req.Rung < len(rungs) {
		from, to = rungs.Span(req.Rung)
	}
	from = int(number("from", float64(from+1))) - 1
	if _, ok := a.set["f1"]; ok {
		for _, seed := range seeds {
			for epoch := from + 1; epoch <= to; epoch++ {
				o.Epochs = append(o.Epochs, epochOf(seed, epoch, number("f1", 0), number("ece", 0.1)))
			}
		}
	}
	for key, value := range a.set {
		text, ok := strings.CutPrefix(key, "seed")
		if !ok {
			continue
		}
		seed, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return req, err
		}
		for i, pair := range strings.Split(value, ",") {
			f1, ece, ok := strings.Cut(pair, "/")
			if !ok {
				ece = "0.1"
			}
			x, err1 := strconv.ParseFloat(f1, 64)
			y, err2 := strconv.ParseFloat(ece, 64)
			if err := errors.Join(err1, err2); err != nil {
				return req, err
			}
			o.Epochs = append(o.Epochs, epochOf(seed, from+1+i, x, y))
		}
	}
	return req, nil
}
