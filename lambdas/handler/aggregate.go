package handler

import (
	"context"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/exports"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
	"github.com/supermax-hpo/supermax/shared/study"
)

// sweepAfter is how long an unfinished object lies before it counts as left behind.
const sweepAfter = time.Hour

// Aggregate brings a done stage's metrics files into line with its accepted reports, see
// [Service.reconcile], and writes its exports: A's best trials, B's Pareto front, C's
// candidates. The stage's table of trials is written with them. A stage with work left is a
// conflict ([study.ErrNotDone]): a file whose report is still under way would be taken for
// an orphan. Only the table of trials is written for a stage in which the study was stopped.
func (s *Service) Aggregate(ctx context.Context, req protocol.StageRequest) (protocol.AggregateReply, error) {
	reply := protocol.AggregateReply{SchemaVersion: protocol.Version, Stage: req.Stage, Exports: []string{}}
	st, err := s.State(ctx, req.Study)
	if err != nil {
		return reply, err
	}
	check, _, err := st.Check(s.Clock(), req)
	if err != nil {
		return reply, err
	}
	if !check.Done && check.Stopped == "" {
		return reply, &study.Error{Code: protocol.CodeConflict, Cause: study.ErrNotDone,
			Message: fmt.Sprintf("aggregate stage %s: it is not done", req.Stage)}
	}
	c, err := s.config(ctx, req.Study)
	if err != nil {
		return reply, err
	}
	if err := results.WriteTrials(ctx, s.Objects, req.Study, req.Stage, c.Whole, trials(st, c, req.Stage)); err != nil {
		return reply, fmt.Errorf("aggregate stage %s: %w", req.Stage, err)
	}
	if !check.Done {
		return reply, nil
	}
	if reply.Files, reply.Removed, err = s.reconcile(ctx, st, req.Stage); err != nil {
		return reply, fmt.Errorf("aggregate stage %s: %w", req.Stage, err)
	}
	if _, err := s.Objects.Sweep(ctx, s.Clock().Add(-sweepAfter)); err != nil {
		return reply, err
	}
	switch req.Stage {
	case protocol.StageA:
		reply.Exports, err = s.export(ctx, exports.TopKey(req.Study), exports.Top(st, c.Stages.A.Export))
	case protocol.StageB:
		reply.Exports, err = s.export(ctx, exports.ParetoKey(req.Study), exports.Pareto(st, c.Stages.B.Export))
	case protocol.StageC:
		reply.Exports, err = s.export(ctx, exports.CandidatesKey(req.Study), exports.Candidates(st))
	}
	return reply, err
}

// Finish chooses the configuration after stage C and exports it with the files of its
// models, each of which must be there.
func (s *Service) Finish(ctx context.Context, req protocol.StudyRequest) (protocol.FinishReply, error) {
	reply, err := do(ctx, s, finishCommand, req.Study, req)
	if err != nil {
		return reply, err
	}
	st, err := s.State(ctx, req.Study)
	if err != nil {
		return reply, err
	}
	best, err := exports.Chosen(st)
	if err != nil {
		return reply, fmt.Errorf("finish: %w", err)
	}
	for _, model := range best.Models {
		ok, err := s.Objects.Exists(ctx, model.File)
		if err != nil {
			return reply, fmt.Errorf("finish: %w", err)
		}
		if !ok {
			return reply, missing("finish: the model of fold %d, seed %d is missing: %s", model.Fold, model.Seed, model.File)
		}
	}
	reply.Exports, err = s.export(ctx, exports.BestKey(req.Study), best)
	return reply, err
}

// config reads the study file's JSON form.
func (s *Service) config(ctx context.Context, study string) (*config.Study, error) {
	data, err := s.Objects.Read(ctx, config.Key(study))
	if err != nil {
		return nil, err
	}
	c, err := config.FromJSON(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", config.Key(study), err)
	}
	return c, nil
}

// export writes both forms and returns their keys.
func (s *Service) export(ctx context.Context, key string, export any) ([]string, error) {
	yaml, json, err := exports.Encode(export)
	if err != nil {
		return nil, err
	}
	keys := []string{key + ".yaml", key + ".json"}
	for i, data := range [][]byte{yaml, json} {
		if err := s.Objects.Write(ctx, keys[i], data); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// missing is the error for an object that the study's log says is there.
func missing(format string, args ...any) error {
	return &study.Error{Code: protocol.CodeConflict, Message: fmt.Sprintf(format, args...)}
}
