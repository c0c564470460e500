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
	var handed []int
	if stage > 0 {
		if s.stages[stage-1].Closed.IsZero() {
			return reply, nil, conflict(nil, "plan stage %s: stage %s was not promoted yet", req.Stage, stages[stage-1])
		}
		handed = s.stages[stage-1].Handed
	}
	switch req.Stage {
	case protocol.StageA:
		reply.Trials = s.settings.A.Trials
	case protocol.StageB:
		reply.Trials = s.settings.B.Trials
	case protocol.StageC:
		reply.Trials = len(handed) * s.settings.C.Folds
	}
	d := s.draft(now)
	if err := d.emit(Event{Type: EventStageOpened, Stage: req.Stage, Limit: reply.Trials}); err != nil {
		return reply, nil, err
	}
	for _, n := range handed {
		if err := d.enqueue(req.Stage, d.trials[n]); err != nil {
			return reply, nil, err
		}
	}
	return reply, d.events, nil
}

// enqueue creates a handed-on trial in its next stage: once, or in stage C once a fold.
func (d *draft) enqueue(stage protocol.Stage, from *Trial) error {
	e := Event{Type: EventTrialCreated, Stage: stage, Params: from.Params, From: &from.Number}
	if stage != protocol.StageC {
		e.Trial = len(d.trials)
		return d.emit(e)
	}
	for fold := range d.settings.C.Folds {
		e.Trial, e.Fold = len(d.trials), &fold
		if err := d.emit(e); err != nil {
			return err
		}
	}
	return nil
}

// Check takes back the leases that ran out and says how far the stage is. It is done when
// nothing runs, waits or can be promoted and its limit is reached.
func (s *State) Check(now time.Time, req protocol.StageRequest) (protocol.CheckReply, []Event, error) {
	reply := protocol.CheckReply{SchemaVersion: protocol.Version, Stage: req.Stage, Requeued: []int{}}
	stage, err := s.stageOf(req)
	if err != nil {
		return reply, nil, err
	}
	if s.stages[stage].Opened.IsZero() {
		return reply, nil, conflict(nil, "check stage %s: it was not planned yet", req.Stage)
	}
	d := s.draft(now)
	if reply.Requeued, err = d.takeBack(stage); err != nil {
		return reply, nil, err
	}
	reply.Counts = d.count(stage)
	reply.Done = d.drained(stage)
	return reply, d.events, nil
}

// drained reports whether an ask can never get work of the stage again.
func (s *State) drained(stage int) bool {
	c := s.count(stage)
	if c.Queued > 0 || c.Running > 0 || len(s.of(stage)) < s.stages[stage].Limit {
		return false
	}
	for rung := range s.plans[stage].last() {
		if len(s.promotable(stage, rung)) > 0 {
			return false
		}
	}
	return true
}

// stageOf checks a request and returns its stage's index.
func (s *State) stageOf(req protocol.StageRequest) (int, error) {
	if err := s.mine(req.Study); err != nil {
		return 0, err
	}
	return index(req.Stage)
}
