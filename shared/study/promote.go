package study

import (
	"fmt"
	"slices"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// Promote closes a done stage and says what it hands on, best first: A its best
// [SearchStage.Enqueue] different configurations, B its candidates (see [State.Best]), C
// the candidates, by B's trial numbers, that were trained on every fold. A trial that breaks
// its stage's limits is not handed on. A stage that has work left is a conflict
// ([ErrNotDone]); so is one with nothing to hand on because it has no result that keeps the
// limits ([ErrNoResult]). A closed stage gets the same answer again.
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
			req.Stage, s.started(stage), c.Limit, c.Queued, c.Running, c.Paused)
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
	best, _ := s.ranking(stage)
	var points []space.Point
	for _, t := range best {
		if len(handed) == want {
			break
		}
		if !slices.ContainsFunc(points, t.point.Equal) {
			points = append(points, t.point)
			handed = append(handed, t.Number)
		}
	}
	return handed, len(best)
}

// whyNone says in a sentence why a stage has no result.
func (s *State) whyNone(stage int) string {
	failed, why := 0, ""
	for t := range s.of(stage) {
		if t.State == Failed {
			failed++
			why = fmt.Sprintf("; trial %d: %s: %s", t.Number, t.Failure.Kind, t.Failure.Message)
		}
	}
	what := "no trial has a result"
	if stages[stage] == protocol.StageC {
		what = "no candidate was trained on every fold"
	} else if _, infeasible := s.ranking(stage); len(infeasible) > 0 {
		what = fmt.Sprintf("all %d trials with a result break a limit, trial %d the least (violation %.3g)",
			len(infeasible), infeasible[0].Number, infeasible[0].violation(s.plans[stage], infeasible[0].Reported()))
	}
	return fmt.Sprintf("%s, %d of %d trials failed%s", what, failed, s.started(stage), why)
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
