package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/study"
)

// studyAsks returns the seconds of that many asks for a new trial by TPE that a whole study
// answers after so many trials: with the lookup of leases, promotions and limits, and the
// events applied, as a Lambda function does it.
func studyAsks(ctx context.Context, trials, times int) ([]float64, error) {
	events, err := played(ctx, trials)
	if err != nil {
		return nil, err
	}
	state := new(study.State)
	now := time.Time{}
	for _, e := range events {
		// The trials lie at random points, and the study goes on as one of TPE without end.
		e.Settings = bytes.ReplaceAll(e.Settings, []byte(`"sampler":"random"`), []byte(`"sampler":"tpe"`))
		if e.Type == study.EventStageOpened {
			e.Limit = 10 * trials
		}
		if err := state.Apply(e); err != nil {
			return nil, err
		}
		now = e.At
	}
	var asks []float64
	for slot := 0; len(asks) < times; slot++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		began := time.Now()
		reply, more, err := state.Ask(now, protocol.AskRequest{Study: "bench", Stage: protocol.StageA, Slot: fmt.Sprint("late-", slot), Token: 1})
		if err != nil {
			return nil, err
		}
		for _, e := range more {
			if err := state.Apply(e); err != nil {
				return nil, err
			}
		}
		took := time.Since(began).Seconds()
		switch {
		case reply.Work == nil:
			return nil, fmt.Errorf("ask a study of %d trials: the answer is %q", trials, reply.Kind)
		case reply.Work.Trial >= trials: // a new one; else a promotion
			asks = append(asks, took)
		}
	}
	return asks, nil
}
