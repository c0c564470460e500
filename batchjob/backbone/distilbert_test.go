package backbone_test

import (
	"math"
	"testing"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// DistilBERT's positions are trained unless they are sines, as in the hub library.
func TestSinusoidalPositions(t *testing.T) {
	const name = "embeddings.position_embeddings.weight"
	for _, sines := range []bool{false, true} {
		c := pretrained.Default(pretrained.ModelTypeDistilBERT)
		c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = 20, 4, 1, 2
		c.IntermediateSize, c.MaxPositionEmbeddings, c.SinusoidalPosEmbds = 12, 10, sines
		w := modeltest.BERT(t, c)
		worker := modeltest.Worker(t, tensor.Kernels)
		params := tensor.NewParams()
		err := worker.Try(func(s *tensor.Scope) error {
			m, err := backbone.New(s, w, params, "")
			if err != nil {
				return err
			}
			b := rowsOf([]int32{1, 2, 3})
			states := m.Forward(s, b, s.Pack(b.Starts, false, 0), nil)
			s.Backward(s.Sum(s.Mul(states[1], s.Floats([]float32{1, 2, 3, 4}, 4))))
			table, _ := params.Find(name)
			if _, ok := s.Grad(table); ok == sines {
				t.Errorf("sines %v, and a gradient: %v", sines, ok)
			}
			if !sines {
				return nil
			}
			// Columns 2 and 3 turn 10000^(2/4) = 100 times slower.
			for i, want := range []float64{0, 1, 0, 1, math.Sin(1), math.Cos(1), math.Sin(0.01), math.Cos(0.01)} {
				if got := s.Read(table)[i]; got != float32(want) {
					t.Errorf("value %d is %v instead of %v", i, got, want)
				}
			}
			return nil
		})
		params.Free()
		if err != nil {
			t.Fatal(err)
		}
	}
}
