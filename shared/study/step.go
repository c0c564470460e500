package study

import (
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
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

// Promote closes a done stage and says what it hands on, best first: A its best
// [SearchStage.Enqueue] different configurations, B its candidates (see [State.Best]), C
// the candidates, by B's trial numbers, that were trained on every fold. A stage that has
// work left is a conflict ([ErrNotDone]); so is one without any result ([ErrNoResult]). A
// closed stage gets the same answer again.
func (s *State) Promote(now time.Time, req protocol.StageRequest) (protocol.PromoteReply, []Event, error) {
	reply := protocol.PromoteReply{SchemaVersion: protocol.Version, Stage: req.Stage, Trials: []int{}}
	stage, err := s.stageOf(req)
	if err != nil {
		return reply, nil, err
	}
	if stage+1 < len(stages) {
		reply.Next = stages[stage+1]
	}
	switch st := s.stages[stage]; {
	case st.Opened.IsZero():
		return reply, nil, conflict(ErrNotDone, "promote stage %s: it was not planned yet", req.Stage)
	case !st.open():
		reply.Trials = append(reply.Trials, st.Handed...)
		return reply, nil, nil
	case !s.drained(stage):
		c := s.count(stage)
		return reply, nil, conflict(ErrNotDone, "promote stage %s: it is not done: %d of %d trials were started, %d wait, %d run, %d are paused",
			req.Stage, len(s.of(stage)), c.Limit, c.Queued, c.Running, c.Paused)
	}
	handed, results := s.handOn(stage)
	if results == 0 {
		return reply, nil, conflict(ErrNoResult, "promote stage %s: %s", req.Stage, s.whyNone(stage))
	}
	reply.Trials = append(reply.Trials, handed...)
	d := s.draft(now)
	err = d.emit(Event{Type: EventStageClosed, Stage: req.Stage, Trials: handed})
	return reply, d.events, err
}

// handOn returns the trials to hand on, best first, and how many there were to choose from.
func (s *State) handOn(stage int) (handed []int, results int) {
	if stages[stage] == protocol.StageC {
		for _, c := range s.Candidates() {
			if c.Value != nil {
				handed = append(handed, c.Trial)
			}
		}
		return handed, len(handed)
	}
	want := s.settings.C.Candidates
	if stages[stage] == protocol.StageA {
		want = s.settings.B.Enqueue
	}
	best := s.ranking(stage)
	var params []space.Assignment
	for _, t := range best {
		if len(handed) == want {
			break
		}
		if !contains(params, t.Params) {
			params = append(params, t.Params)
			handed = append(handed, t.Number)
		}
	}
	return handed, len(best)
}

func contains(list []space.Assignment, a space.Assignment) bool {
	for _, b := range list {
		if b.Equal(a) {
			return true
		}
	}
	return false
}

// whyNone says in a sentence why a stage has no result.
func (s *State) whyNone(stage int) string {
	failed, why := 0, ""
	for _, t := range s.of(stage) {
		if t.State == Failed {
			failed++
			why = fmt.Sprintf("; trial %d: %s: %s", t.Number, t.Failure.Kind, t.Failure.Message)
		}
	}
	what := "no trial has a result"
	if stages[stage] == protocol.StageC {
		what = "no candidate was trained on every fold"
	}
	return fmt.Sprintf("%s, %d of %d trials failed%s", what, failed, len(s.of(stage)), why)
}

// Finish chooses the configuration after stage C: the highest mean F1-macro over the
// folds, on a tie the lower ECE, then the lower number. It may be called again.
func (s *State) Finish(now time.Time, req protocol.StudyRequest) (protocol.FinishReply, []Event, error) {
	reply := protocol.FinishReply{SchemaVersion: protocol.Version, Exports: []string{}}
	if err := s.mine(req.Study); err != nil {
		return reply, nil, err
	}
	confirmed := s.stages[len(stages)-1]
	if confirmed.Closed.IsZero() {
		return reply, nil, conflict(ErrNotDone, "finish: stage %s was not promoted yet", stages[len(stages)-1])
	}
	if s.chosen != nil {
		return reply, nil, nil
	}
	d := s.draft(now)
	err := d.emit(Event{Type: EventChosen, Trial: confirmed.Handed[0]})
	return reply, d.events, err
}

// stageOf checks a request and returns its stage's index.
func (s *State) stageOf(req protocol.StageRequest) (int, error) {
	if err := s.mine(req.Study); err != nil {
		return 0, err
	}
	return index(req.Stage)
}
