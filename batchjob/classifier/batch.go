package classifier

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A Batch is packed rows with their classes.
type Batch struct {
	backbone.Batch
	Labels []int32 // one a row, below the number of classes
}

// check reports what is wrong with a batch; labels are needed for training.
func (c *Classifier) check(b Batch, needLabels bool) error {
	if err := c.encoder.Check(b.Batch); err != nil {
		return err
	}
	if needLabels && len(b.Labels) == 0 || len(b.Labels) != 0 && len(b.Labels) != b.Rows() {
		return fmt.Errorf("batch: %d labels for %d rows", len(b.Labels), b.Rows())
	}
	for r, y := range b.Labels {
		if y < 0 || int(y) >= c.options.Head.Classes {
			return fmt.Errorf("batch: row %d has label %d, there are %d classes", r, y, c.options.Head.Classes)
		}
	}
	return nil
}

// logits runs the model on a batch, with dropout unless random is nil; firstRow numbers
// the rows within the training step.
func (c *Classifier) logits(s *tensor.Scope, b Batch, random *tensor.Randomness, firstRow int) tensor.T {
	rows := s.Pack(b.Starts, random != nil, firstRow)
	states := c.encoder.Forward(s, b.Batch, rows, random)
	return c.head.Forward(s, states[len(states)-1], rows, random, c.encoder.Sites())
}

// loss is the weighted, smoothed cross entropy of the batch's labels.
func (c *Classifier) loss(s *tensor.Scope, logits tensor.T, b Batch) tensor.T {
	var weights tensor.T
	if w := c.options.ClassWeights; len(w) > 0 {
		weights = s.Floats(w, len(w))
	}
	return s.CrossEntropy(logits, s.Indices(b.Labels), weights, c.options.LabelSmoothing)
}
