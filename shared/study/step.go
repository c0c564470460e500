package study

import (
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// Plan opens a stage, after the one before was closed. Stage B begins with A's best
// configurations, stage C with every fold of B's candidates. A stage that was opened
// before gets the same answer again.
func (s *State) Plan(now time.Time, req protocol.StageRequest) (protocol.PlanReply, []Event, error) {
	reply := protocol.PlanReply{SchemaVersion: protocol.Version, Stage: req.Stage}
	stage, err := s.stageOf(req)
	if err != nil {
		return reply, nil, err
	}
	if !s.stages[stage].Opened.IsZero() {
		reply.Trials = s.stages[stage].Limit
		return reply, nil, nil
	}
	if s.stopped != "" {
		return reply, nil, conflict(nil, "plan stage %s: study %s was stopped (%s); start it again to go on", req.Stage, req.Study, s.stopped)
	}
	var handed []int
	if stage > 0 {
		if s.stages[stage-1].Closed.IsZero() {
			return reply, nil, conflict(nil, "plan stage %s: stage %s was not promoted yet", req.Stage, stages[stage-1])
		}
		handed = s.stages[stage-1].Handed
	}
	switch req.Stage {
	case protocol.StageA:
		reply.Trials = s.settings.A.limit(s.settings.Space)
	case protocol.StageB:
		reply.Trials = s.settings.B.limit(s.settings.Space)
	case protocol.StageC:
		reply.Trials = len(handed) * s.settings.C.Folds
	}
	d := s.draft(now)
	if err := d.emit(Event{Type: EventStageOpened, Stage: req.Stage, Limit: reply.Trials}); err != nil {
		return reply, nil, err
	}
	for _, n := range handed {
		if err := d.enqueue(req.Stage, d.trials.At(n)); err != nil {
			return reply, nil, err
		}
	}
	return reply, d.events, nil
}

// enqueue creates a handed-on trial in its next stage: once, or in stage C once a fold.
func (d *draft) enqueue(stage protocol.Stage, from *Trial) error {
	e := Event{Type: EventTrialCreated, Stage: stage, Params: d.settings.Space.Assignment(from.point), From: &from.Number}
	if stage != protocol.StageC {
		e.Trial = d.trials.Len()
		return d.emit(e)
	}
	for fold := range d.settings.C.Folds {
		e.Trial, e.Fold = d.trials.Len(), &fold
		if err := d.emit(e); err != nil {
			return err
		}
	}
	return nil
}

// Check takes back the leases that ran out and says how far the stage is. It is done when
// nothing runs, waits or can be promoted and its limit is reached, or when its budget has
// room for nothing of that.
//
// A stopped study's stage that is open drains first: as long as attempts run there, the
// answer is neither done nor stopped but draining, and the caller should ask again later
// instead of starting slots. Then it is stopped, with the reason, and not done: its next
// stage could not be planned. Only the last stage, once it has all its results, is done
// all the same, as what comes after it costs nothing. A stage that was closed stays done.
func (s *State) Check(now time.Time, req protocol.StageRequest) (protocol.CheckReply, []Event, error) {
	reply := protocol.CheckReply{SchemaVersion: protocol.Version, Stage: req.Stage, Requeued: []int{}}
	stage, err := s.stageOf(req)
	if err != nil {
		return reply, nil, err
	}
	reply.Progress = s.progress()
	if s.stages[stage].Opened.IsZero() {
		if s.stopped != "" {
			reply.Stopped = s.stopped
			return reply, nil, nil
		}
		return reply, nil, conflict(nil, "check stage %s: it was not planned yet", req.Stage)
	}
	d := s.draft(now)
	if reply.Requeued, err = d.takeBack(stage); err != nil {
		return reply, nil, err
	}
	reply.Counts = d.count(stage)
	reply.Done = d.drained(stage)
	reply.Progress = d.progress()
	if last := len(stages) - 1; d.stopped == "" || !d.stages[stage].open() || stage == last && reply.Done {
		return reply, d.events, nil
	}
	reply.Done = false
	if reply.Draining = reply.Counts.Running > 0; !reply.Draining {
		reply.Stopped = d.stopped
	}
	return reply, d.events, nil
}

// progress returns how much of the study was done: it grows with every result at a rung
// and every trial that failed.
func (s *State) progress() int {
	n := 0
	for _, x := range s.indexes {
		n += x.reports + x.counts.Failed
	}
	return n
}

// stageOf checks a request and returns its stage's index.
func (s *State) stageOf(req protocol.StageRequest) (int, error) {
	if err := s.mine(req.Study); err != nil {
		return 0, err
	}
	return indexOf(req.Stage)
}
