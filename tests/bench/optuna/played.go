package main

import (
	"context"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/functions"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// played walks stage A of a study over the 20 parameters with eight slots, three seeds and
// the default rungs, and returns all of its events.
func played(ctx context.Context, trials int) ([]study.Event, error) {
	f, err := functions.ByName(single)
	if err != nil {
		return nil, err
	}
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	search := study.SearchStage{Trials: trials, Rungs: study.Rungs{Min: 2, Max: 20, Factor: 3}, Seeds: []int64{1, 2, 3}, Patience: 5, Sampler: "random"}
	state, events, err := study.New(now, study.Settings{Study: "bench", Agent: "criteria", Seed: 1, Space: f.Space, A: search, B: search,
		C: study.ConfirmStage{Candidates: 1, Folds: 2, Seeds: []int64{1}, Epochs: 2}})
	if err != nil {
		return nil, err
	}
	take := func(more []study.Event, err error) error {
		if err != nil {
			return err
		}
		for _, e := range more {
			if err := state.Apply(e); err != nil {
				return err
			}
		}
		events = append(events, more...)
		return nil
	}
	_, more, err := state.Plan(now, protocol.StageRequest{Study: "bench", Stage: protocol.StageA})
	if err := take(more, err); err != nil {
		return nil, err
	}
	const slots = 8
	var work [slots]*protocol.Work
	for turn := 0; ; turn++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		now = now.Add(1234567 * time.Microsecond)
		slot := turn % slots
		if w := work[slot]; w != nil {
			reply, more, err := state.Tell(now, protocol.TellRequest{Study: "bench", Trial: w.Trial, Attempt: w.Attempt, Rung: w.Rung, Outcome: outcome(f, w)})
			if err := take(more, err); err != nil {
				return nil, err
			}
			if work[slot] = nil; reply.Kind == protocol.TellContinue {
				goesOn := *w
				goesOn.Rung, goesOn.FromEpoch, goesOn.ToEpoch = reply.Rung, reply.FromEpoch, reply.ToEpoch
				work[slot] = &goesOn
				continue
			}
		}
		reply, more, err := state.Ask(now, protocol.AskRequest{Study: "bench", Stage: protocol.StageA,
			Slot: fmt.Sprintf("6f3c1a52-0b7e-4d5e-9a51-2f1f6b3d8e90:%d/1", slot), Token: int64(turn) + 1})
		if err := take(more, err); err != nil {
			return nil, err
		}
		if work[slot] = reply.Work; reply.Kind == protocol.AskDone {
			return events, nil
		}
	}
}

// outcome is what a trial measures: the better the function's value, the higher the
// F1-macro, with digits in every place as real metrics have.
func outcome(f functions.Function, w *protocol.Work) protocol.Outcome {
	o := protocol.Outcome{CostSeconds: 33.123456789 * float64(w.ToEpoch-w.FromEpoch), PeakMemoryBytes: 7_654_321_098}
	top := 1 / (1 + f.Eval(w.Params)[0])
	for _, seed := range w.Seeds {
		for epoch := w.FromEpoch + 1; epoch <= w.ToEpoch; epoch++ {
			f1 := top * (1 - 1/(1+float64(epoch)+0.1*float64(seed)))
			o.Epochs = append(o.Epochs, protocol.EpochMetrics{Seed: seed, Epoch: epoch, F1Macro: f1, ECE: 0.3 * (1 - f1), Accuracy: f1, Loss: 1 - f1, NLL: 1 - f1, Brier: 1 - f1})
		}
	}
	return o
}
