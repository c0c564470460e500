// Package searchbench measures samplers on functions whose values cost nothing: how good is
// what they find after so many trials, with one slot and with many. It is what `supermax
// search bench` prints and what tests/bench/optuna compares with its peer.
package searchbench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/sampler"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A Searcher looks for the minimum of a function, or for its front, as a study does: ask for
// a trial, tell its values.
type Searcher struct {
	function functions.Function
	sampler  sampler.Sampler
	history  *sampler.History
	seed     uint64
	asked    int
	points   []space.Point // of the trials that were asked for
	params   []space.Assignment
}

// NewSearcher returns a searcher that has tried nothing. The sampler is one that
// [sampler.New] knows.
func NewSearcher(f functions.Function, name string, seed uint64) (*Searcher, error) {
	s, err := sampler.New(name, sampler.Options{Seed: seed})
	if err != nil {
		return nil, err
	}
	p := sampler.Problem{Space: f.Space, Directions: Directions(f)}
	h, err := sampler.NewHistory(p)
	return &Searcher{function: f, sampler: s, history: h, seed: seed}, err
}

// Directions are those of a function's objectives: all are minimised.
func Directions(f functions.Function) []sampler.Direction {
	dirs := make([]sampler.Direction, f.Objectives)
	for i := range dirs {
		dirs[i] = sampler.Minimize
	}
	return dirs
}

// Ask starts the next trial, counted from 0; from now on it is running.
func (s *Searcher) Ask() error {
	rng := rand.New(rand.NewPCG(s.seed, uint64(s.asked)))
	a, err := s.sampler.Suggest(s.history, rng)
	if err != nil {
		return fmt.Errorf("suggest trial %d of %s: %w", s.asked, s.function.Name, err)
	}
	point, err := s.function.Space.Point(a)
	if err != nil {
		return fmt.Errorf("trial %d of %s: %w", s.asked, s.function.Name, err)
	}
	err = s.history.Set(sampler.Observation{Number: s.asked, Point: point, Rung: -1, State: sampler.Running})
	s.points, s.params = append(s.points, point), append(s.params, a)
	s.asked++
	return err
}

// Tell ends a trial that was asked for, and returns its values.
func (s *Searcher) Tell(trial int) ([]float64, error) {
	values := s.function.Eval(s.params[trial])
	s.params[trial] = nil
	return values, s.history.Set(sampler.Observation{Number: trial, Point: s.points[trial], Values: values, State: sampler.Completed})
}

// Fill tells that many more trials at random points, whatever the sampler: what a search
// late in its life takes can then be measured without living through it.
func (s *Searcher) Fill(trials int) error {
	rng := rand.New(rand.NewPCG(s.seed, 1<<63)) // no trial's
	for range trials {
		a, err := sampler.Random{}.Suggest(s.history, rng)
		if err != nil {
			return fmt.Errorf("draw trial %d of %s: %w", s.asked, s.function.Name, err)
		}
		point, err := s.function.Space.Point(a)
		if err != nil {
			return fmt.Errorf("trial %d of %s: %w", s.asked, s.function.Name, err)
		}
		s.points, s.params = append(s.points, point), append(s.params, a)
		s.asked++
		if _, err := s.Tell(s.asked - 1); err != nil {
			return err
		}
	}
	return nil
}

// Search returns the values of that many trials in the order in which they were told. So
// many slots each have a trial running all the time, and the oldest is told first: one slot
// knows every result before it asks, a number of slots all but the newest ones.
func Search(ctx context.Context, f functions.Function, name string, seed uint64, trials, slots int) ([][]float64, error) {
	s, err := NewSearcher(f, name, seed)
	if err != nil {
		return nil, err
	}
	values := make([][]float64, 0, trials)
	for told := range trials {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for s.asked < min(told+slots, trials) {
			if err := s.Ask(); err != nil {
				return nil, err
			}
		}
		v, err := s.Tell(told)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}
