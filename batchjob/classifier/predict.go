package classifier

import (
	"math"

	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A Prediction is what the model says about a batch's rows.
type Prediction struct {
	Logits        []float32 // rows × classes, row-major
	Probabilities []float32 // softmax of the logits
	Loss          float64   // the training loss without dropout; NaN when there are no labels
}

// Predict runs the model without dropout and without recording gradients.
func (c *Classifier) Predict(b Batch) (Prediction, error) {
	p := Prediction{Loss: math.NaN()}
	err := c.worker.Try(func(s *tensor.Scope) error {
		if err := c.check(b, false); err != nil {
			return err
		}
		s.NoGrad(func() {
			logits := c.logits(c.newPass(s, b, nil, 0), b.Task)
			p.Logits = s.Read(logits)
			if len(b.Labels) > 0 {
				p.Loss = s.Item(c.loss(s, logits, b))
			}
		})
		return nil
	})
	if err != nil {
		return Prediction{}, err
	}
	p.Probabilities = softmax(p.Logits, c.options.Head.Classes)
	return p, nil
}

// softmax normalises each row of exp(logits), in double precision.
func softmax(logits []float32, classes int) []float32 {
	probabilities := make([]float32, len(logits))
	for from := 0; from < len(logits); from += classes {
		row := logits[from : from+classes]
		top := float64(row[0])
		for _, v := range row {
			top = max(top, float64(v))
		}
		sum := 0.0
		for _, v := range row {
			sum += math.Exp(float64(v) - top)
		}
		for i, v := range row {
			probabilities[from+i] = float32(math.Exp(float64(v)-top) / sum)
		}
	}
	return probabilities
}
