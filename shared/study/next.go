package study

import "fmt"

// work is what a slot that asks may be given.
type work struct {
	trial    int  // its number, also of one that is still to be created
	leaves   int  // promoted: the rung that it pauses at
	promoted bool // it pauses and is promoted first
	created  bool // it is created first
}

// work returns what the next slot of a stage gets, if there is anything: in this order a
// trial that was taken back, a promotion from the highest rung that has one, an enqueued
// trial, a new one. What the stage's budget has no room for is passed over.
func (s *State) work(stage int) (work, bool) {
	if !s.fits(stage, 1) {
		return work{}, false
	}
	x, p := s.indexes[stage], s.plans[stage]
	for n := range x.retried.All() {
		if s.fits(stage, s.trials.At(n).ahead(p)) {
			return work{trial: n}, true
		}
	}
	for n, rung := range x.results.Promotions() {
		if s.fits(stage, s.trials.At(n).epochs(p, rung+1)) {
			return work{trial: n, leaves: rung, promoted: true}, true
		}
	}
	for n := range x.fresh.All() {
		if s.fits(stage, s.trials.At(n).ahead(p)) {
			return work{trial: n}, true
		}
	}
	n := s.trials.Len()
	if p.sampler == "" || s.started(stage) >= s.stages[stage].Limit || !s.fits(stage, p.rungs(n)[0]*len(p.seeds)) {
		return work{}, false
	}
	return work{trial: n, created: true}, true
}

// next returns the queued trial to lease, promoted or created for it where nothing waits;
// nil if there is none.
func (d *draft) next(stage int) (*Trial, error) {
	w, ok := d.work(stage)
	if !ok {
		return nil, nil
	}
	e := Event{Type: EventPromoted, Trial: w.trial, Rung: w.leaves + 1}
	if w.created {
		params, err := d.suggest(stage, w.trial)
		if err != nil {
			return nil, fmt.Errorf("suggest trial %d: %w", w.trial, err)
		}
		e = Event{Type: EventTrialCreated, Stage: stages[stage], Trial: w.trial, Params: params}
	}
	if w.created || w.promoted {
		if err := d.emit(e); err != nil {
			return nil, err
		}
	}
	return d.trials.At(w.trial), nil
}

// drained reports whether an ask can never get work of the stage again.
func (s *State) drained(stage int) bool {
	if s.count(stage).Running > 0 {
		return false
	}
	_, more := s.work(stage)
	return !more
}
