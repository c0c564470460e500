package results

import (
	"slices"

	"github.com/parquet-go/parquet-go"
)

// A column is one field of a row in the file: of a [Row], or of a [Trial]. Of value and set
// each is the inverse of the other; optional columns deal in nulls.
type column[R any] struct {
	name     string
	typ      parquet.Type
	optional bool
	value    func(*R) parquet.Value
	set      func(*R, parquet.Value)
}

// columns are the fixed columns, without the parameters'. The file holds all columns
// sorted by name.
func columns() []column[Row] {
	return append([]column[Row]{
		text("agent", func(r *Row) *string { return &r.Agent }),
		whole("trial", func(r *Row) *int { return &r.Trial }),
		whole("attempt", func(r *Row) *int { return &r.Attempt }),
		whole("rung", func(r *Row) *int { return &r.Rung }),
		long("seed", func(r *Row) *int64 { return &r.Seed }),
		optionalWhole("fold", func(r *Row) **int { return &r.Fold }),
		whole("epoch", func(r *Row) *int { return &r.Epoch }),
		double("loss", func(r *Row) *float64 { return &r.Loss }),
		double("f1_macro", func(r *Row) *float64 { return &r.F1Macro }),
		double("ece", func(r *Row) *float64 { return &r.ECE }),
		double("accuracy", func(r *Row) *float64 { return &r.Accuracy }),
		optionalDouble("auroc", func(r *Row) **float64 { return &r.AUROC }),
		double("nll", func(r *Row) *float64 { return &r.NLL }),
		double("brier", func(r *Row) *float64 { return &r.Brier }),
		double("seconds", func(r *Row) *float64 { return &r.Seconds.Total }),
		double("seconds_data", func(r *Row) *float64 { return &r.Seconds.Data }),
		double("seconds_forward", func(r *Row) *float64 { return &r.Seconds.Forward }),
		double("seconds_backward", func(r *Row) *float64 { return &r.Seconds.Backward }),
		double("seconds_optimizer", func(r *Row) *float64 { return &r.Seconds.Optimizer }),
		double("seconds_evaluation", func(r *Row) *float64 { return &r.Seconds.Evaluation }),
		double("samples_per_second", func(r *Row) *float64 { return &r.SamplesPerSecond }),
		long("peak_memory_bytes", func(r *Row) *int64 { return &r.PeakMemoryBytes }),
		text("device", func(r *Row) *string { return &r.Device }),
		double("cost", func(r *Row) *float64 { return &r.Cost }),
	}, slices.Concat(
		taskColumns("criteria", func(r *Row) *Task { return &r.Criteria }),
		taskColumns("evidence", func(r *Row) *Task { return &r.Evidence }))...)
}

func taskColumns(name string, task func(*Row) *Task) []column[Row] {
	return []column[Row]{
		optionalDouble(name+"_f1_macro", func(r *Row) **float64 { return &task(r).F1Macro }),
		optionalDouble(name+"_ece", func(r *Row) **float64 { return &task(r).ECE }),
		optionalDouble(name+"_null_threshold", func(r *Row) **float64 { return &task(r).NullThreshold }),
		optionalDouble(name+"_best_temperature", func(r *Row) **float64 { return &task(r).BestTemperature }),
	}
}

func text[R any](name string, field func(*R) *string) column[R] {
	return column[R]{
		name: name, typ: parquet.String().Type(),
		value: func(r *R) parquet.Value { return parquet.ByteArrayValue([]byte(*field(r))) },
		set:   func(r *R, v parquet.Value) { *field(r) = string(v.ByteArray()) },
	}
}

func whole[R any](name string, field func(*R) *int) column[R] {
	return column[R]{
		name: name, typ: parquet.Int64Type,
		value: func(r *R) parquet.Value { return parquet.Int64Value(int64(*field(r))) },
		set:   func(r *R, v parquet.Value) { *field(r) = int(v.Int64()) },
	}
}

func long[R any](name string, field func(*R) *int64) column[R] {
	return column[R]{
		name: name, typ: parquet.Int64Type,
		value: func(r *R) parquet.Value { return parquet.Int64Value(*field(r)) },
		set:   func(r *R, v parquet.Value) { *field(r) = v.Int64() },
	}
}

func double[R any](name string, field func(*R) *float64) column[R] {
	return column[R]{
		name: name, typ: parquet.DoubleType,
		value: func(r *R) parquet.Value { return parquet.DoubleValue(*field(r)) },
		set:   func(r *R, v parquet.Value) { *field(r) = v.Double() },
	}
}

func optionalWhole[R any](name string, field func(*R) **int) column[R] {
	return column[R]{
		name: name, typ: parquet.Int64Type, optional: true,
		value: func(r *R) parquet.Value {
			if *field(r) == nil {
				return parquet.NullValue()
			}
			return parquet.Int64Value(int64(**field(r)))
		},
		set: func(r *R, v parquet.Value) {
			if !v.IsNull() {
				n := int(v.Int64())
				*field(r) = &n
			}
		},
	}
}

func optionalDouble[R any](name string, field func(*R) **float64) column[R] {
	return column[R]{
		name: name, typ: parquet.DoubleType, optional: true,
		value: func(r *R) parquet.Value {
			if *field(r) == nil {
				return parquet.NullValue()
			}
			return parquet.DoubleValue(**field(r))
		},
		set: func(r *R, v parquet.Value) {
			if !v.IsNull() {
				f := v.Double()
				*field(r) = &f
			}
		},
	}
}
