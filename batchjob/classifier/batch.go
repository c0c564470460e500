package classifier

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// A Batch is packed rows of one task with their classes.
type Batch struct {
	backbone.Batch
	Labels []int32 // one a row, below the number of classes
	Task   int     // of the [Network]
}

// check reports what is wrong with a batch; labels are needed for training.
func (c *Classifier) check(b Batch, needLabels bool) error {
	if err := c.options.Network.checkTask(b.Task); err != nil {
		return err
	}
	if err := c.tasks[b.Task].encoder.Check(b.Batch); err != nil {
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

// loss is the weighted, smoothed cross entropy of the batch's labels.
func (c *Classifier) loss(s *tensor.Scope, logits tensor.T, b Batch) tensor.T {
	var weights tensor.T
	if all := c.options.ClassWeights; len(all) > 0 && len(all[b.Task]) > 0 {
		w := all[b.Task]
		weights = s.Floats(w, len(w))
	}
	return s.CrossEntropy(logits, s.Indices(b.Labels), weights, c.options.LabelSmoothing)
}
