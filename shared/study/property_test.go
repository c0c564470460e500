package study

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// TestRandomStudies lets slots that die, repeat themselves, speak late and out of order
// walk whole studies. After every command it checks that a trial has one lease at most and
// a slot holds one at most, that each trial and rung was accepted at most once, that no
// more trials were started than the limit, and that the command changed nothing by itself.
// Every study must drain; and from any point of its log on, the same commands must give
// the same events and answers.
func TestRandomStudies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for _, stage := range stages {
			_, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Plan(now, protocol.StageRequest{Study: "s", Stage: stage})
				return r, ev, err
			})
			if err != nil {
				t.Fatalf("plan stage %s: %v", stage, err)
			}
			for range rapid.IntRange(0, 25).Draw(t, "steps") {
				w.step(stage)
			}
			w.drain(stage)
			_, err = w.do(func(s *State, now time.Time) (any, []Event, error) {
				r, ev, err := s.Promote(now, protocol.StageRequest{Study: "s", Stage: stage})
				return r, ev, err
			})
			if err != nil { // every trial failed or breaks a limit: that is the end, and the only reason
				if w.state.Open(stage) && len(w.state.Pareto(stage)) > 0 {
					t.Fatalf("promote stage %s: %v", stage, err)
				}
				w.replay()
				return
			}
		}
		if _, err := w.do(func(s *State, now time.Time) (any, []Event, error) {
			r, ev, err := s.Finish(now, protocol.StudyRequest{Study: "s"})
			return r, ev, err
		}); err != nil {
			t.Fatal(err)
		}
		c, ok := w.state.Chosen()
		if !ok || c.Failed || c.Value == nil {
			t.Fatalf("chosen %v, %+v", ok, c)
		}
		w.replay()
	})
}
