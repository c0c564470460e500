package handler

import (
	"context"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// reconcile checks that every accepted report of a stage has its metrics file with rows
// that lead to the reported values, and then removes the files of attempts that were not
// accepted. It returns how many files stay and how many were removed; where
// the two do not agree nothing is removed.
func (s *Service) reconcile(ctx context.Context, st *study.State, stage protocol.Stage) (files, removed int, err error) {
	name := st.Settings().Study
	accepted := make(map[string]bool)
	for _, t := range st.Trials(stage) {
		keys, err := s.checkTrial(ctx, st, &t)
		if err != nil {
			return 0, 0, err
		}
		for _, key := range keys {
			accepted[key] = true
		}
	}
	found, err := s.Objects.List(ctx, results.Prefix(name, stage))
	if err != nil {
		return 0, 0, err
	}
	var orphans []string
	for _, key := range found {
		if accepted[key] {
			continue
		}
		if _, err := results.ParseKey(key); err != nil {
			return 0, 0, fmt.Errorf("%w; move it elsewhere", err)
		}
		orphans = append(orphans, key)
	}
	if err := s.Objects.Delete(ctx, orphans...); err != nil {
		return 0, 0, err
	}
	return len(accepted), len(orphans), nil
}

// checkTrial reads the metrics files of a trial's accepted reports and returns their keys.
// Every epoch of a seed is there once, in order, and what the study knows of each seed
// follows from them: no row was lost or doubled. In stage C a seed's first row is epoch 0,
// measured before training.
func (s *Service) checkTrial(ctx context.Context, st *study.State, t *study.Trial) ([]string, error) {
	seeds := make(map[int64]study.SeedBest)
	untrained := make(map[int64]bool)
	rungs := st.Scheduler(t.Stage).Rungs(t.Number)
	var keys []string
	for _, report := range t.Reports {
		if report.Carried {
			continue
		}
		key := results.Key(st.Settings().Study, t.Stage, t.Number, report.Rung, report.Attempt)
		rows, err := results.Read(ctx, s.Objects, key)
		if errors.Is(err, objects.ErrNotFound) {
			return nil, missing("the metrics of trial %d, rung %d are missing though its report was accepted: %s", t.Number, report.Rung, key)
		}
		if err != nil {
			return nil, err
		}
		from, to := rungs.Span(report.Rung)
		for _, row := range rows {
			best := seeds[row.Seed]
			if t.Stage == protocol.StageC && row.Epoch == 0 && best.Last == 0 && !untrained[row.Seed] {
				untrained[row.Seed] = true
				continue
			}
			if row.Epoch != best.Last+1 || row.Epoch <= from || row.Epoch > to {
				return nil, missing("%s: the row of seed %d, epoch %d follows epoch %d in a rung of the epochs %d to %d",
					key, row.Seed, row.Epoch, best.Last, from+1, to)
			}
			best.Seed = row.Seed
			seeds[row.Seed] = best.Seen(row.Epoch, row.F1Macro, row.ECE)
		}
		keys = append(keys, key)
	}
	for _, want := range t.Seeds {
		got := seeds[want.Seed]
		if got.Last != want.Last || got.Epoch != want.Epoch || got.F1Macro != want.F1Macro || got.ECE != want.ECE {
			return nil, missing("the metrics of trial %d, seed %d lead to F1-macro %v at epoch %d of %d, its report said %v at epoch %d of %d",
				t.Number, want.Seed, got.F1Macro, got.Epoch, got.Last, want.F1Macro, want.Epoch, want.Last)
		}
	}
	return keys, nil
}
