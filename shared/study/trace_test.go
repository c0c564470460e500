package study

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// TestTraces runs testdata/*.trace, the scheduler's behaviour as text: events in, expected
// decisions out. testdata/README.md describes the language. Each trace runs twice: as it
// stands, and with the state written and read again after every line.
func TestTraces(t *testing.T) {
	files, err := filepath.Glob("testdata/*.trace")
	if err != nil || len(files) == 0 {
		t.Fatalf("find traces: %d found, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".trace")
		for _, restoring := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/restoring=%v", name, restoring), func(t *testing.T) {
				runTrace(t, file, restoring)
			})
		}
	}
}

func runTrace(t *testing.T, file string, restoring bool) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tr := &trace{settings: testSettings(), now: testStart, tokens: make(map[string]int64)}
	expectations := 0
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		at := fmt.Sprintf("%s:%d: %s", file, n, strings.TrimSpace(line))
		if words[0] == "expect" {
			expectations++
			if got, want := tr.got, strings.Join(words[1:], " "); !matches(got, want) {
				t.Fatalf("%s\n got %s\nwant %s", at, got, want)
			}
			tr.got = strings.TrimPrefix(tr.got, "error ")
			continue
		}
		if strings.HasPrefix(tr.got, "error ") {
			t.Fatalf("%s: the line before failed: %s", at, tr.got)
		}
		if err := tr.run(words); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if restoring && tr.state != nil {
			if err := tr.restore(); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if expectations == 0 || strings.HasPrefix(tr.got, "error ") {
		t.Fatalf("%s: %d expectations, last answer %q", file, expectations, tr.got)
	}
}

// matches reports whether an answer is what was expected: all of it, its part before the
// bar, or for an error its code and a part of its sentence.
func matches(got, want string) bool {
	if code, part, ok := strings.Cut(want, ": "); ok && strings.HasPrefix(want, "error ") {
		gotCode, message, _ := strings.Cut(got, ": ")
		return gotCode == code && strings.Contains(message, part)
	}
	short, _, _ := strings.Cut(got, " | ")
	return got == want || short == want
}

// trace runs one line after the other on a study.
type trace struct {
	settings Settings
	state    *State
	events   []Event
	now      time.Time
	tokens   map[string]int64 // last token by slot
	got      string           // the last answer
}

func (tr *trace) run(words []string) error {
	if words[0] == "settings" {
		if tr.state != nil {
			return errors.New("settings come first")
		}
		for _, word := range words[1:] {
			if err := set(&tr.settings, word); err != nil {
				return err
			}
		}
		return nil
	}
	if tr.state == nil {
		s, events, err := New(tr.now, tr.settings)
		if err != nil {
			return err
		}
		tr.state, tr.events = s, events
	}
	args, err := parseArgs(words[1:])
	if err != nil {
		return err
	}
	switch words[0] {
	case "advance":
		d, err := time.ParseDuration(words[1])
		tr.now = tr.now.Add(d)
		return err
	case "snapshot":
		return tr.restore()
	case "replay":
		return tr.replay()
	case "show":
		tr.got, err = tr.show(words[1], args)
		return err
	}
	answer, events, err := tr.command(words[0], args)
	var refused *Error
	switch {
	case errors.As(err, &refused):
		answer = fmt.Sprintf("error %s: %s", refused.Code, refused.Message)
		if len(events) > 0 {
			return fmt.Errorf("a refusal has %d events", len(events))
		}
	case err != nil:
		return err
	}
	tr.got = answer
	for _, e := range events {
		if err := tr.state.Apply(e); err != nil {
			return err
		}
	}
	tr.events = append(tr.events, events...)
	return nil
}

func (tr *trace) restore() error {
	data, err := tr.state.Snapshot()
	if err != nil {
		return err
	}
	tr.state, err = Restore(data)
	return err
}

// replay folds all events from the first into a new state.
func (tr *trace) replay() error {
	want, err := tr.state.Snapshot()
	if err != nil {
		return err
	}
	s, err := fold(tr.events)
	if err != nil {
		return err
	}
	got, err := s.Snapshot()
	if err == nil && string(got) != string(want) {
		err = fmt.Errorf("replayed:\n%s\nwant:\n%s", got, want)
	}
	tr.state = s
	return err
}

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
		if r.Done {
			answer = "done"
		}
		if len(r.Requeued) > 0 {
			answer += " requeued" + trials(r.Requeued)
		}
		return answer + " | " + counts(r.Counts), ev, err
	case "promote":
		r, ev, err := s.Promote(tr.now, req)
		return strings.TrimSpace("promoted "+string(r.Next)) + trials(r.Trials), ev, err
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
