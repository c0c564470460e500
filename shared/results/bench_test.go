package results

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/shared/protocol"
)

// BenchmarkFile writes and reads a rung of 3 seeds × 12 epochs.
func BenchmarkFile(b *testing.B) {
	s := wholeSpace(b)
	id := FileID{"s", protocol.StageA, 1, 2, 0}
	rows := rapid.Custom(func(rt *rapid.T) []Row {
		rows := make([]Row, 36)
		for i := range rows {
			rows[i] = drawRow(rt, id, s)
			rows[i].Params = rows[0].Params
		}
		return rows
	}).Example(1)
	data, err := encode(id, s, rows)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := encode(id, s, rows); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(data)), "B/file")
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decode(id, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
