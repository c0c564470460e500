package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// network carries the requests of slots to a study and its answers back. It may lose, double
// and delay each of them; a slot sends a request until it has the answer.
type network struct {
	t      failer
	state  *State
	stage  protocol.Stage
	now    time.Time
	events []Event
	slots  []*sender
	flying []letter
}

// sender is a slot: it asks, trains by a formula, tells, and asks again.
type sender struct {
	name string
	sent int64          // requests, which number them
	ask  int64          // the token of its last ask
	work *protocol.Work // what it trains
	done bool
}

// letter is a request or, with an answer, a reply to one.
type letter struct {
	from   int   // the slot
	number int64 // of its request
	ask    *protocol.AskRequest
	tell   *protocol.TellRequest
	answer any
}

// worth is what training makes of a configuration, whoever trains it: a failure for some.
func worth(lr float64, seed int64, epoch int) (f1, ece float64, failed bool) {
	top := 0.9 - 0.1*math.Abs(math.Log10(lr)+4)
	f1 = top * (1 - math.Exp(-float64(epoch+int(seed))/3))
	return f1, (1 - f1) / 2, lr > 5e-3
}

// failer is a *testing.T or a *rapid.T.
type failer interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newNetwork(t failer, settings Settings, slots int) *network {
	s, events, err := New(testStart, settings)
	if err != nil {
		t.Fatal(err)
	}
	w := &network{t: t, state: s, stage: protocol.StageA, now: testStart, events: events}
	_, events, err = s.Plan(w.now, protocol.StageRequest{Study: "s", Stage: w.stage})
	w.take(events, err)
	for i := range slots {
		w.slots = append(w.slots, &sender{name: fmt.Sprint("slot-", i)})
	}
	return w
}

func (w *network) take(events []Event, err error) {
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range events {
		if err := w.state.Apply(e); err != nil {
			w.t.Fatal(err)
		}
	}
	w.events = append(w.events, events...)
}

// send puts the slot's present request on its way, for the first time or again.
func (w *network) send(i int) {
	sl := w.slots[i]
	l := letter{from: i, number: sl.sent}
	if sl.work == nil {
		l.ask = &protocol.AskRequest{Study: "s", Stage: w.stage, Slot: sl.name, Token: sl.ask}
	} else {
		l.tell = w.train(*sl.work)
	}
	w.flying = append(w.flying, l)
}

// next makes the slot's next request and sends it.
func (w *network) next(i int) {
	sl := w.slots[i]
	sl.sent++
	if sl.work == nil {
		sl.ask++
	}
	w.send(i)
}

func (w *network) train(work protocol.Work) *protocol.TellRequest {
	lr, err := work.Params.Float("optim.lr")
	if err != nil {
		w.t.Fatal(err)
	}
	req := &protocol.TellRequest{Study: "s", Trial: work.Trial, Attempt: work.Attempt, Rung: work.Rung}
	req.Outcome.CostSeconds = 1
	for _, seed := range work.Seeds {
		for epoch := work.FromEpoch + 1; epoch <= work.ToEpoch; epoch++ {
			f1, ece, failed := worth(lr, seed, epoch)
			if failed {
				req.Outcome.Epochs, req.Outcome.Failed = nil, &protocol.Failure{Kind: protocol.FailedNaN, Message: "loss"}
				return req
			}
			req.Outcome.Epochs = append(req.Outcome.Epochs, epochOf(seed, epoch, f1, ece))
		}
	}
	return req
}

// arrive delivers a letter: a request to the study, whose answer sets out, or an answer to
// its slot, which takes no notice of what it does not wait for.
func (w *network) arrive(l letter) {
	w.now = w.now.Add(time.Millisecond)
	switch {
	case l.answer != nil:
		w.hear(l)
	case l.ask != nil:
		reply, events, err := w.state.Ask(w.now, *l.ask)
		if errors.Is(err, ErrLate) {
			return // a double of an ask whose answer was heard
		}
		w.take(events, err)
		l.answer = reply
		w.flying = append(w.flying, l)
	default:
		reply, events, err := w.state.Tell(w.now, *l.tell)
		w.take(events, err)
		l.answer = reply
		w.flying = append(w.flying, l)
	}
}

func (w *network) hear(l letter) {
	sl := w.slots[l.from]
	if l.number != sl.sent || sl.done {
		return
	}
	switch reply := l.answer.(type) {
	case protocol.AskReply:
		sl.work, sl.done = reply.Work, reply.Kind == protocol.AskDone
	case protocol.TellReply:
		if reply.Kind != protocol.TellContinue {
			sl.work = nil
			break
		}
		more := *sl.work
		more.Rung, more.FromEpoch, more.ToEpoch = reply.Rung, reply.FromEpoch, reply.ToEpoch
		sl.work = &more
	}
	if !sl.done {
		w.next(l.from)
	}
}

// run walks the stage to its end. trouble says what becomes of the letter that is chosen
// next; nil: the oldest arrives.
func (w *network) run(trouble func(flying int) (which int, arrives, stays bool)) {
	for i := range w.slots {
		w.next(i)
	}
	for step := range 100_000 {
		if step%20 == 0 {
			w.resend()
		}
		if len(w.flying) == 0 {
			if !slices.ContainsFunc(w.slots, func(sl *sender) bool { return !sl.done }) {
				return
			}
			continue
		}
		which, arrives, stays := 0, true, false
		if trouble != nil {
			which, arrives, stays = trouble(len(w.flying))
		}
		l := w.flying[which]
		if !stays {
			w.flying = slices.Delete(w.flying, which, which+1)
		}
		if arrives {
			w.arrive(l)
		}
	}
	w.t.Fatalf("the stage does not end: %+v", w.state.Counts(w.stage))
}

// resend lets every slot send its request again that nothing is under way of.
func (w *network) resend() {
	for i, sl := range w.slots {
		if !sl.done && !slices.ContainsFunc(w.flying, func(l letter) bool { return l.from == i && l.number == sl.sent }) {
			w.send(i)
		}
	}
}

// outcomes returns what is known of each trial but for who trained it, when and how often.
func (w *network) outcomes(rungs int) []string {
	var list []string
	for _, t := range w.state.Trials(w.stage) {
		text := fmt.Sprint(t.Number, t.Params)
		for _, r := range t.Reports[:min(rungs, len(t.Reports))] {
			text += fmt.Sprint(" ", r.Rung, r.Value)
		}
		if t.Failure != nil {
			text += fmt.Sprint(" ", *t.Failure)
		}
		list = append(list, text)
	}
	return list
}

// networkSettings are those of a stage with one rung or with three.
func networkSettings(rungs Rungs) Settings {
	settings := testSettings()
	settings.A.Trials, settings.A.Rungs, settings.A.Seeds = 24, rungs, []int64{1, 2}
	settings.LeaseSeconds = 24 * 3600
	return settings
}

// trouble draws, for each step, which letter is chosen and whether it is lost, arrives, or
// arrives and flies on as its own double.
func trouble(t *rapid.T) func(int) (int, bool, bool) {
	steps := rapid.IntRange(0, 600).Draw(t, "troubled steps")
	return func(flying int) (int, bool, bool) {
		if steps--; steps < 0 {
			return 0, true, false
		}
		which := rapid.IntRange(0, min(flying, 40)-1).Draw(t, "letter")
		switch rapid.IntRange(0, 5).Draw(t, "fate") {
		case 0:
			return which, false, false
		case 1:
			return which, true, true
		}
		return which, true, false
	}
}

// Whatever a network loses, doubles and delays, and in whatever order it delivers, a finished
// stage has the same trials with the same results: all of them where each is trained in
// full, and at the first rung where the best go on, as which do is a matter of who was
// there first.
func TestResultsDoNotDependOnTheNetwork(t *testing.T) {
	for _, c := range []struct {
		rungs Rungs
		same  int // rungs whose results are compared
	}{{Rungs{3, 3, 3}, 1}, {Rungs{1, 9, 3}, 1}} {
		settings := networkSettings(c.rungs)
		calm := newNetwork(t, settings, 1)
		calm.run(nil)
		want := calm.outcomes(c.same)
		rapid.Check(t, func(t *rapid.T) {
			w := newNetwork(t, settings, rapid.IntRange(1, 6).Draw(t, "slots"))
			w.run(trouble(t))
			if diff := cmp.Diff(want, w.outcomes(c.same)); diff != "" {
				t.Fatal(diff)
			}
			w.nothingLost(t)
			w.samePromotions(t)
		})
	}
}

// nothingLost checks that the stage ended with every trial settled, and that each was
// reported and promoted at most once a rung.
func (w *network) nothingLost(t *rapid.T) {
	c := w.state.Counts(w.stage)
	if c.Queued+c.Running > 0 || c.Paused+c.Completed+c.Failed != c.Limit {
		t.Fatalf("not every trial is settled: %+v", c)
	}
	seen := make(map[string]int)
	for _, e := range w.events {
		if e.Type == EventReported || e.Type == EventPromoted {
			seen[fmt.Sprint(e.Type, " of trial ", e.Trial, " at rung ", e.Rung)]++
		}
	}
	for what, n := range seen {
		if n > 1 {
			t.Fatalf("%d times %s", n, what)
		}
	}
	for _, trial := range w.state.Trials(w.stage) {
		for rung, r := range trial.Reports {
			if n := seen[fmt.Sprint(EventReported, " of trial ", trial.Number, " at rung ", rung)]; n != 1 && !r.Carried {
				t.Fatalf("trial %d has a result at rung %d and %d reports of it", trial.Number, rung, n)
			}
		}
	}
}

// samePromotions checks that every rung's best third went on, who else ever did.
func (w *network) samePromotions(t *rapid.T) {
	p := w.state.plans[0]
	for rung := range p.last(0) {
		var values []float64
		for _, trial := range w.state.Trials(w.stage) {
			if len(trial.Reports) > rung {
				values = append(values, trial.Reports[rung].Value.F1Macro)
			}
		}
		slices.Sort(values)
		best := len(values) / 3
		for _, trial := range w.state.Trials(w.stage) {
			if len(trial.Reports) <= rung || best == 0 {
				continue
			}
			if trial.Reports[rung].Value.F1Macro > values[len(values)-best] && trial.Rung == rung {
				t.Fatalf("trial %d is among the best %d of rung %d and stayed there", trial.Number, best, rung)
			}
		}
	}
}

// Where nothing overtakes anything, what is lost and sent again or comes twice leaves the
// very same log.
func TestRepetitionsLeaveNoTrace(t *testing.T) {
	settings := networkSettings(Rungs{1, 9, 3})
	settings.A.Sampler = "tpe"
	log := func(w *network) []string {
		var list []string
		for _, e := range w.events {
			e.At, e.LeaseUntil = time.Time{}, time.Time{}
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, string(data))
		}
		return list
	}
	calm := newNetwork(t, settings, 1)
	calm.run(nil)
	want := log(calm)
	rapid.Check(t, func(t *rapid.T) {
		w := newNetwork(t, settings, 1)
		lost := 0
		w.run(func(int) (int, bool, bool) {
			switch rapid.IntRange(0, 3).Draw(t, "fate") {
			case 0:
				if lost++; lost < 50 {
					return 0, false, false
				}
			case 1:
				w.arrive(w.flying[0]) // twice
			}
			return 0, true, false
		})
		if diff := cmp.Diff(want, log(w)); diff != "" {
			t.Fatal(diff)
		}
	})
}
