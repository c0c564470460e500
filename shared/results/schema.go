package results

import (
	"cmp"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/supermax-hpo/supermax/shared/space"
)

// A Column is a column of one of the tables, as a catalogue that does not look into the
// files (AWS Glue) has to be told of it.
type Column struct {
	Name string
	Type string // Hive's: bigint, boolean, double, string or timestamp
}

// MetricsColumns returns the columns of the metrics files of a space, sorted by name. The
// partitions study and stage, both strings, come on top.
func MetricsColumns(whole *space.Space) ([]Column, error) { return describe(columns(), whole) }

// TrialsColumns returns the columns of the trials files of a space, like [MetricsColumns].
func TrialsColumns(whole *space.Space) ([]Column, error) { return describe(trialColumns(), whole) }

func describe[R any](cols []column[R], whole *space.Space) ([]Column, error) {
	all, err := withParams(cols, whole, func(*R) space.Assignment { return nil })
	if err != nil {
		return nil, err
	}
	list := make([]Column, len(all))
	for i, c := range all {
		list[i] = Column{Name: c.name, Type: hiveType(c.typ)}
	}
	return list, nil
}

// withParams adds a column for each parameter of whole, whose values params returns for a
// row, and sorts all by name.
func withParams[R any](cols []column[R], whole *space.Space, params func(*R) space.Assignment) ([]column[R], error) {
	for _, p := range whole.Params {
		c, err := paramColumn(p, params)
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
	slices.SortFunc(cols, func(a, b column[R]) int { return cmp.Compare(a.name, b.name) })
	return cols, nil
}

// hiveType names the types that columns of ours have.
func hiveType(t parquet.Type) string {
	if l := t.LogicalType(); l != nil {
		if _, ok := l.Value.(*format.TimestampType); ok {
			return "timestamp"
		}
	}
	switch t.Kind() {
	case parquet.Boolean:
		return "boolean"
	case parquet.Double:
		return "double"
	case parquet.ByteArray:
		return "string"
	}
	return "bigint"
}
