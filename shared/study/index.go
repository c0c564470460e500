package study

import (
	"cmp"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/asha"
	"github.com/supermax-hpo/supermax/shared/internal/persistent"
	"github.com/supermax-hpo/supermax/shared/protocol"
)

// index is what the commands look up of a stage's trials, so that none of them walks all.
// It follows from the trials alone, however they came to be what they are. Like the trials
// it is never changed, only replaced.
type index struct {
	counts  protocol.Counts          // without the limit
	reports int                      // of all trials, at all rungs
	spent   spent                    // by all trials
	retried persistent.Set[int]      // queued trials that a slot had before
	fresh   persistent.Set[int]      // the other queued ones
	leases  persistent.Set[leaseEnd] // of the running trials
	results asha.Standings           // what was reported at the rungs
}

// leaseEnd is when the lease of a trial runs out.
type leaseEnd struct {
	until time.Time
	trial int
}

func (a leaseEnd) compare(b leaseEnd) int {
	return cmp.Or(a.until.Compare(b.until), cmp.Compare(a.trial, b.trial))
}

// newIndex returns the index of trials that stand in the order of their numbers.
func newIndex(p plan, trials []*Trial) index {
	var x index
	var retried, fresh []int
	var leases []leaseEnd
	reports := 0
	for _, t := range trials {
		reports += len(t.Reports)
	}
	results := make([]asha.Result, 0, reports)
	values := make([]float64, reports*len(p.dirs)) // of all results, so that they are made at once
	for _, t := range trials {
		x.add(p, t, 1)
		switch {
		case t.Lease != nil:
			leases = append(leases, leaseEnd{t.Lease.Until, t.Number})
		case t.State == Queued && t.started():
			retried = append(retried, t.Number)
		case t.State == Queued:
			fresh = append(fresh, t.Number)
		}
		for rung := range t.Reports {
			r := t.result(values, p, rung)
			results, values = append(results, r), values[len(r.Values):]
		}
	}
	slices.SortFunc(leases, leaseEnd.compare)
	x.retried, x.fresh = persistent.NewSet(cmp.Compare[int], retried...), persistent.NewSet(cmp.Compare[int], fresh...)
	x.leases = persistent.NewSet(leaseEnd.compare, leases...)
	x.results = p.scheduler.Standings(results...)
	return x
}

// with returns the index after a trial, nil before it was created, became another.
func (x index) with(p plan, old, t *Trial) index {
	if old != nil {
		x.add(p, old, -1)
		switch {
		case old.Lease != nil:
			x.leases = x.leases.Without(leaseEnd{old.Lease.Until, old.Number})
		case old.State == Queued && old.started():
			x.retried = x.retried.Without(old.Number)
		case old.State == Queued:
			x.fresh = x.fresh.Without(old.Number)
		}
	}
	x.add(p, t, 1)
	switch {
	case t.Lease != nil:
		x.leases = x.leases.With(leaseEnd{t.Lease.Until, t.Number})
	case t.State == Queued && t.started():
		x.retried = x.retried.With(t.Number)
	case t.State == Queued:
		x.fresh = x.fresh.With(t.Number)
	}
	for rung := range t.Reports {
		switch {
		case old == nil || rung >= len(old.Reports):
			x.results = x.results.Reported(t.result(nil, p, rung))
		case t.Rung > rung && old.Rung <= rung: // a report never changes but for this
			x.results = x.results.Promoted(t.result(nil, p, rung))
		}
	}
	return x
}

// add counts the trial, once or once less.
func (x *index) add(p plan, t *Trial, by int) {
	x.reports += by * len(t.Reports)
	x.spent.add(t.spent(p), by)
	switch t.State {
	case Queued, Stale:
		x.counts.Queued += by
	case Running:
		x.counts.Running += by
	case Paused:
		x.counts.Paused += by
	case Completed:
		x.counts.Completed += by
	case Failed:
		x.counts.Failed += by
	}
}

// result returns what the trial reported at a rung, as the scheduler sees it. The objectives
// are put into values if there is room.
func (t *Trial) result(values []float64, p plan, rung int) asha.Result {
	return asha.Result{Trial: t.Number, Epoch: t.Reports[rung].ToEpoch, Values: t.objectives(values[:0:min(len(values), len(p.dirs))], p, rung),
		Violation: t.violation(p, rung), Promoted: t.Rung > rung}
}

// expired returns the trials whose lease ran out before now, by number.
func (x index) expired(now time.Time) []int {
	var trials []int
	for l := range x.leases.All() {
		if !l.until.Before(now) {
			break
		}
		trials = append(trials, l.trial)
	}
	slices.Sort(trials)
	return trials
}
