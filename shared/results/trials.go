package results

import (
	"context"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/shared/objects"
	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/space"
)

// A Trial is one row of a stage's trials file: where a trial stands.
type Trial struct {
	Trial       int // counts from 0 through the whole study
	Agent       string
	State       string // QUEUED, RUNNING, PAUSED, COMPLETED or FAILED
	Fold        *int   // stage C: the fold held out
	Candidate   *int   // stage C: the trial of stage B with these parameters
	Rung        int    // that it is queued for, training in, or paused at
	Epochs      int    // at the end of the last rung that it reported; 0 without one
	F1Macro     *float64
	ECE         *float64 // both means over the seeds of each one's best epoch; nil without a report
	Violation   *float64 // by how much the last report breaks the stage's limits (study.Limits); 0: not; nil without a report
	CostSeconds float64  // slot seconds that its attempts told of
	Cost        float64  // CostSeconds at the study's price an hour
	Attempts    int
	FailureKind *string // of a failed trial
	Created     time.Time

	// Params is complete, as in [Row].
	Params space.Assignment
}

// TrialsKey returns the key of a stage's trials file.
func TrialsKey(study string, stage protocol.Stage) string {
	return fmt.Sprintf("trials/study=%s/stage=%s/trials.parquet", study, stage)
}

// WriteTrials puts a stage's trials file in the place of the former one. Study and stage
// are columns that stand in the path alone, and the parameters of whole have the same
// columns as in the metrics files.
func WriteTrials(ctx context.Context, bucket *objects.Bucket, study string, stage protocol.Stage, whole *space.Space, rows []Trial) error {
	key := TrialsKey(study, stage)
	if _, err := ParseKey(Key(study, stage, 0, 0, 0)); err != nil {
		return fmt.Errorf("write trials %.200q: that is not the key of a stage's trials", key)
	}
	data, err := encodeRows("trials", whole, trialColumns(), func(r *Trial) space.Assignment { return r.Params }, rows)
	if err != nil {
		return fmt.Errorf("write trials %s: %w", key, err)
	}
	if err := bucket.Write(ctx, key, data); err != nil {
		return fmt.Errorf("write trials: %w", err)
	}
	return nil
}

// trialColumns are the fixed columns of a trials file.
func trialColumns() []column[Trial] {
	return []column[Trial]{
		whole("trial", func(r *Trial) *int { return &r.Trial }),
		text("agent", func(r *Trial) *string { return &r.Agent }),
		text("state", func(r *Trial) *string { return &r.State }),
		optionalWhole("fold", func(r *Trial) **int { return &r.Fold }),
		optionalWhole("candidate", func(r *Trial) **int { return &r.Candidate }),
		whole("rung", func(r *Trial) *int { return &r.Rung }),
		whole("epochs", func(r *Trial) *int { return &r.Epochs }),
		optionalDouble("f1_macro", func(r *Trial) **float64 { return &r.F1Macro }),
		optionalDouble("ece", func(r *Trial) **float64 { return &r.ECE }),
		optionalDouble("violation", func(r *Trial) **float64 { return &r.Violation }),
		double("cost_seconds", func(r *Trial) *float64 { return &r.CostSeconds }),
		double("cost", func(r *Trial) *float64 { return &r.Cost }),
		whole("attempts", func(r *Trial) *int { return &r.Attempts }),
		failureKind(),
		created(),
	}
}

func failureKind() column[Trial] {
	return column[Trial]{
		name: "failure_kind", typ: parquet.String().Type(), optional: true,
		value: func(r *Trial) parquet.Value {
			if r.FailureKind == nil {
				return parquet.NullValue()
			}
			return parquet.ByteArrayValue([]byte(*r.FailureKind))
		},
	}
}

// created is a timestamp of UTC without a zone, in milliseconds: Athena has none finer, and
// DuckDB would show one with a zone in the zone of whoever asks.
func created() column[Trial] {
	return column[Trial]{
		name: "created_at", typ: parquet.TimestampAdjusted(parquet.Millisecond, false).Type(),
		value: func(r *Trial) parquet.Value { return parquet.Int64Value(r.Created.UnixMilli()) },
	}
}
