package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/slot"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/results"
)

// session is one attempt at one trial, over the rungs that it trains in a row.
type session struct {
	*Trainer
	work         protocol.Work
	set          settings
	part         dataset.Part
	rows         []encodedRow
	labels       []int32 // by example
	trained      [][]int // the rows of part.Train by task
	weights      *pretrained.Weights
	classWeights [][]float32 // by task
	even         bool        // padding counts: rows of like lengths go together
	identity     string      // what a checkpoint must have been trained from
	hold         bool        // keep every seed's model between rungs
	runs         map[int64]*run
	peak         int64     // bytes
	began        time.Time // when the work's first step was taken; zero: none was
}

// defaultHoldLimit is how much memory, in bytes, the models of all seeds may take to be
// kept until the study says whether the trial goes on.
const defaultHoldLimit = 2 << 30

// begin reads what a trial needs. Its errors are the trial's, but for a backbone that
// cannot be brought here.
func (t *Trainer) begin(ctx context.Context, work protocol.Work) (*session, error) {
	set, err := readSettings(work.Params)
	if err != nil {
		return nil, dataError(err)
	}
	part, err := t.plan.part(work.Fold)
	if err != nil {
		return nil, dataError(err)
	}
	folder, err := t.library.folder(ctx, set.backbone)
	if err != nil {
		return nil, err
	}
	weights, rows, err := t.library.backbone(set.backbone, folder, set.maxLength)
	if err != nil {
		return nil, dataError(err)
	}
	s := &session{
		Trainer: t, work: work, set: set, part: part, rows: rows, weights: weights,
		labels: make([]int32, len(t.examples)), runs: map[int64]*run{},
		trained:      t.tasks.divide(part.Train),
		classWeights: t.tasks.classWeights(t.Study.Training.ClassWeights, t.examples, part.Train),
	}
	s.even = weights.Config.PaddingCounts()
	for i, e := range t.examples {
		s.labels[i] = int32(e.Label)
	}
	if s.identity, err = t.identify(work); err != nil {
		return nil, err
	}
	bytes := 0
	for _, p := range weights.Params {
		bytes += 4 * 4 * len(p.Data) * t.tasks.network.Encoders() // weight, gradient and two moments
	}
	s.hold = len(work.Seeds) == 1 || bytes*len(work.Seeds) <= t.holdLimit
	if err := tensor.ResetPeakMemory(); err != nil {
		t.Log.Warn("peak memory will include earlier trials", "error", err)
	}
	return s, nil
}

// identify hashes what a seed's checkpoint depends on, so that one from elsewhere (a study
// begun anew over old objects) is not mistaken for the trial's own. Whoever keeps the
// objects sees to it that the backbones stay as they were.
func (t *Trainer) identify(work protocol.Work) (string, error) {
	data, err := json.Marshal(map[string]any{
		"study": t.Study.Name, "stage": t.Stage, "agent": t.Study.Agent, "params": work.Params, "fold": work.Fold,
		"epochs": t.plan.epochs, "training": t.Study.Training, "part": t.plan.parts,
		"corpus": t.fingerprint, "criteria": t.Study.Corpus.Criteria, "max_posts": t.Study.Corpus.MaxPosts,
	})
	if err != nil {
		return "", fmt.Errorf("identify trial %d: %w", work.Trial, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// continues reports whether work is the next rung of the attempt in hand.
func (s *session) continues(work protocol.Work) bool {
	return s.work.Trial == work.Trial && s.work.Attempt == work.Attempt
}

// advance trains one seed to the end of the work.
func (s *session) advance(ctx context.Context, seed int64) error {
	r, ok := s.runs[seed]
	if !ok {
		r = &run{session: s, seed: seed}
		if err := r.resume(ctx); err != nil {
			return err
		}
		s.runs[seed] = r
	}
	err := r.to(ctx, s.work.ToEpoch)
	peak, peakErr := tensor.PeakMemory()
	if peakErr == nil {
		s.peak = max(s.peak, peak)
	}
	if err != nil {
		return err
	}
	if !s.hold {
		r.close()
	}
	return peakErr
}

// result gathers the epochs of the work from its seeds.
func (s *session) result() slot.Result {
	out := slot.Result{PeakMemoryBytes: s.peak, Began: s.began}
	untrained := 0.0
	for _, seed := range s.work.Seeds {
		for _, rec := range s.runs[seed].state.Epochs {
			switch {
			case rec.Epoch == 0:
				untrained += rec.F1Macro / float64(len(s.work.Seeds))
				if s.work.FromEpoch > 0 {
					continue
				}
			case rec.Epoch <= s.work.FromEpoch || rec.Epoch > s.work.ToEpoch:
				continue
			default:
				out.Epochs = append(out.Epochs, rec.EpochMetrics)
			}
			out.Rows = append(out.Rows, s.row(rec))
		}
	}
	if s.plan.untrained {
		out.Baseline = &protocol.Baseline{
			MajorityF1Macro:  s.tasks.majority(s.examples, s.part),
			UntrainedF1Macro: untrained,
		}
	}
	return out
}

// row is a record in the form that is kept for queries.
func (s *session) row(rec record) results.Row {
	row := results.Row{
		Study: s.Study.Name, Stage: s.Stage, Agent: s.Study.Agent, Trial: s.work.Trial, Attempt: s.work.Attempt,
		Rung: s.work.Rung, Seed: rec.Seed, Fold: s.work.Fold, Epoch: rec.Epoch, Params: s.work.Params,
		Loss: rec.Loss, F1Macro: rec.F1Macro, ECE: rec.ECE, Accuracy: rec.Accuracy, AUROC: rec.AUROC, NLL: rec.NLL, Brier: rec.Brier,
		Seconds: rec.Seconds, SamplesPerSecond: rec.SamplesPerSecond, PeakMemoryBytes: rec.PeakMemoryBytes,
		Device: rec.Device, Cost: rec.Seconds.Total * s.Study.PricePerHour / 3600,
	}
	for i, name := range s.tasks.names {
		switch {
		case i >= len(rec.Tasks): // an epoch that an earlier program recorded
		case name == dataset.Criteria:
			row.Criteria = rec.Tasks[i].row()
		case name == dataset.Evidence:
			row.Evidence = rec.Tasks[i].row()
		}
	}
	return row
}

func (s *session) close() {
	for _, r := range s.runs {
		r.close()
	}
}
