package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// world is a study under simulation.
type world struct {
	options Options
	state   *study.State
	lease   time.Duration // after which a slot that died without a word is noticed
	now     time.Duration // since the study began
	agenda  agenda
	slots   []slot
	orphans []string          // slots that died without a word
	watch   func(study.Event) // sees each event before it is applied; nil: nobody does
	waited  func()            // is called when a slot had to wait; nil: nobody is

	// Of the open stage.
	stage      protocol.Stage
	stageIndex int
	rungs      asha.Rungs // of all brackets
	patience   int
	trials     map[int]*trial
	reached    map[int]int // trials with a result, by the epoch of their rung
	tally      Tally
	bill       Bill
	normal     float64 // seconds that what was trained takes of slots that are not slow, loading included
	vain       int     // attempts that were cut short since the last report
	events     int     // of the agenda

	idle  bool          // nothing has changed since an ask had to wait
	retry time.Duration // what that ask was told
}

// Run simulates a study from its first stage to its choice. It ends early, with ctx's
// error, when ctx ends. Options that are not allowed are an [*OptionError]; settings that are
// not, and a study that cannot go on because every trial of a stage failed, a [*study.Error].
func Run(ctx context.Context, o Options) (*Result, error) {
	w, err := newWorld(o)
	if err != nil {
		return nil, err
	}
	return w.run(ctx)
}

// start is when every simulated study begins.
var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is what a clock on the wall shows.
func (w *world) clock() time.Time { return start.Add(w.now) }

func newWorld(o Options) (*world, error) {
	if err := o.validate(); err != nil {
		return nil, &OptionError{err}
	}
	if o.Faults.SlowFactor == 0 {
		o.Faults.SlowFactor = 2
	}
	// Slots renew their leases in time, and one that died is noticed when its lease would have
	// run out. So that millions of heartbeats need not be made, no lease runs out by itself.
	lease := o.Settings.LeaseSeconds
	if lease == 0 {
		lease = defaultLease
	}
	o.Settings.LeaseSeconds, o.Settings.HeartbeatSeconds = longestLease, 0
	state, _, err := study.New(start, o.Settings)
	if err != nil {
		return nil, err
	}
	w := &world{options: o, state: state, lease: seconds(lease), slots: make([]slot, o.Slots)}
	if o.Budget == 0 {
		return w, nil
	}
	_, events, err := state.Resume(start, protocol.ResumeRequest{SchemaVersion: protocol.Version, Study: o.Settings.Study, BudgetDollars: &o.Budget})
	return w, w.apply(events, err)
}

const (
	defaultLease = 120            // seconds: what [study.Settings] means by 0
	longestLease = 30 * 24 * 3600 // seconds: the most that it allows
	maxHours     = 1e6            // of virtual time: whoever needs more mistyped something
	mostInVain   = 100            // attempts a slot that may be cut short in a row
	perLook      = 4096           // events between two looks at the context
)

// apply makes a command's events so.
func (w *world) apply(events []study.Event, err error) error {
	if err != nil {
		return err
	}
	for _, e := range events {
		if w.watch != nil {
			w.watch(e)
		}
		if err := w.state.Apply(e); err != nil {
			return err
		}
		switch e.Type {
		case study.EventReported, study.EventCarried:
			t, _ := w.state.Trial(e.Trial)
			w.reached[t.Reports[e.Rung].ToEpoch]++
			w.vain = 0
		case study.EventFailed:
			if t := w.trials[e.Trial]; t != nil {
				t.failed = true
			}
		case study.EventLost:
			w.vain++
		}
		w.idle = false
	}
	return nil
}

// run walks the stages as the state machine on AWS does.
func (w *world) run(ctx context.Context) (*Result, error) {
	r := &Result{Study: w.options.Settings.Study, Slots: w.options.Slots, Seed: w.options.Seed}
	for i, stage := range protocol.Stages() {
		w.open(i, stage)
		done, stopped, err := w.walk(ctx)
		if err != nil {
			return nil, err
		}
		s := w.summary()
		r.Stages = append(r.Stages, s)
		r.Total.add(s.Bill)
		if !done {
			r.Stopped = stopped
			return r, nil
		}
	}
	_, events, err := w.state.Finish(w.clock(), protocol.StudyRequest{SchemaVersion: protocol.Version, Study: w.options.Settings.Study})
	if err := w.apply(events, err); err != nil {
		return nil, err
	}
	if c, ok := w.state.Chosen(); ok {
		r.Chosen = &Chosen{Trial: c.Trial, Value: *c.Value, Params: c.Params}
	}
	return r, nil
}

func (w *world) open(i int, stage protocol.Stage) {
	w.stageIndex, w.stage, w.rungs = i, stage, w.state.Rungs(stage)
	s := w.options.Settings
	w.patience = [...]int{s.A.Patience, s.B.Patience, s.C.Patience}[i]
	w.trials, w.reached = make(map[int]*trial), make(map[int]int)
	w.tally, w.bill, w.normal, w.vain = Tally{}, Bill{}, 0, 0
}

// walk takes the open stage to its end: plan, slots, check, and slots again while the check
// finds work, then promote. It reports whether the stage is done, or why it was stopped.
func (w *world) walk(ctx context.Context) (done bool, stopped string, err error) {
	req := protocol.StageRequest{SchemaVersion: protocol.Version, Study: w.options.Settings.Study, Stage: w.stage}
	began := w.now
	_, events, err := w.state.Plan(w.clock(), req)
	if err := w.apply(events, err); err != nil {
		return false, "", err
	}
	for before := -1; ; {
		check, events, err := w.state.Check(w.clock(), req)
		if err := w.apply(events, err); err != nil {
			return false, "", err
		}
		if check.Stopped != "" {
			return false, check.Stopped, nil
		}
		if check.Done {
			break
		}
		if check.Progress == before {
			return false, "", fmt.Errorf("stage %s makes no progress: its slots find no work though %d trials wait", w.stage, check.Counts.Queued)
		}
		before = check.Progress
		if err := w.work(ctx); err != nil {
			return false, "", err
		}
		w.bill.Hours = (w.now - began).Seconds()
	}
	_, events, err = w.state.Promote(w.clock(), req)
	return true, "", w.apply(events, err)
}

// work lets the slots work until each has heard that there is nothing more to do.
func (w *world) work(ctx context.Context) error {
	w.idle = false
	for i := range w.slots {
		w.slots[i] = slot{index: int32(i), life: w.slots[i].life}
		w.begin(&w.slots[i], w.now)
	}
	for w.agenda.len() > 0 {
		if w.events++; w.events%perLook == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			w.observe()
		}
		next := w.agenda.pop()
		w.now = next.at
		if w.now.Hours() > maxHours {
			return fmt.Errorf("stage %s takes more than %.0f hours", w.stage, maxHours)
		}
		if w.vain > mostInVain*(1+len(w.slots)) {
			return fmt.Errorf("stage %s comes to nothing: %d attempts in a row were interrupted or crashed before their rung ended", w.stage, w.vain)
		}
		if next.slot < 0 {
			if err := w.release(&slot{name: w.orphans[-next.slot-1]}, protocol.FailedCrash); err != nil {
				return err
			}
			continue
		}
		if err := w.event(&w.slots[next.slot]); err != nil {
			return err
		}
	}
	return nil
}
