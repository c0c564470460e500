package results

import (
	"github.com/parquet-go/parquet-go"
)

// A column is one field of a [Row] in the file. Of value and set each is the inverse of
// the other; optional columns deal in nulls.
type column struct {
	name     string
	typ      parquet.Type
	optional bool
	value    func(*Row) parquet.Value
	set      func(*Row, parquet.Value)
}

// columns are the fixed columns, without the parameters'. The file holds all columns
// sorted by name.
func columns() []column {
	return []column{
		text("agent", func(r *Row) *string { return &r.Agent }),
		whole("trial", func(r *Row) *int { return &r.Trial }),
		whole("attempt", func(r *Row) *int { return &r.Attempt }),
		whole("rung", func(r *Row) *int { return &r.Rung }),
		long("seed", func(r *Row) *int64 { return &r.Seed }),
		fold(),
		whole("epoch", func(r *Row) *int { return &r.Epoch }),
		double("loss", func(r *Row) *float64 { return &r.Loss }),
		double("f1_macro", func(r *Row) *float64 { return &r.F1Macro }),
		double("ece", func(r *Row) *float64 { return &r.ECE }),
		double("accuracy", func(r *Row) *float64 { return &r.Accuracy }),
		auroc(),
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
	}
}

func text(name string, field func(*Row) *string) column {
	return column{
		name: name, typ: parquet.String().Type(),
		value: func(r *Row) parquet.Value { return parquet.ByteArrayValue([]byte(*field(r))) },
		set:   func(r *Row, v parquet.Value) { *field(r) = string(v.ByteArray()) },
	}
}

func whole(name string, field func(*Row) *int) column {
	return column{
		name: name, typ: parquet.Int64Type,
		value: func(r *Row) parquet.Value { return parquet.Int64Value(int64(*field(r))) },
		set:   func(r *Row, v parquet.Value) { *field(r) = int(v.Int64()) },
	}
}

func long(name string, field func(*Row) *int64) column {
	return column{
		name: name, typ: parquet.Int64Type,
		value: func(r *Row) parquet.Value { return parquet.Int64Value(*field(r)) },
		set:   func(r *Row, v parquet.Value) { *field(r) = v.Int64() },
	}
}

func double(name string, field func(*Row) *float64) column {
	return column{
		name: name, typ: parquet.DoubleType,
		value: func(r *Row) parquet.Value { return parquet.DoubleValue(*field(r)) },
		set:   func(r *Row, v parquet.Value) { *field(r) = v.Double() },
	}
}

func fold() column {
	return column{
		name: "fold", typ: parquet.Int64Type, optional: true,
		value: func(r *Row) parquet.Value {
			if r.Fold == nil {
				return parquet.NullValue()
			}
			return parquet.Int64Value(int64(*r.Fold))
		},
		set: func(r *Row, v parquet.Value) {
			if !v.IsNull() {
				n := int(v.Int64())
				r.Fold = &n
			}
		},
	}
}

func auroc() column {
	return column{
		name: "auroc", typ: parquet.DoubleType, optional: true,
		value: func(r *Row) parquet.Value {
			if r.AUROC == nil {
				return parquet.NullValue()
			}
			return parquet.DoubleValue(*r.AUROC)
		},
		set: func(r *Row, v parquet.Value) {
			if !v.IsNull() {
				f := v.Double()
				r.AUROC = &f
			}
		},
	}
}
