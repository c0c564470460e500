package backbone

import (
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
)

// An Encoder turns a batch's tokens into hidden states.
type Encoder interface {
	// Check reports what is wrong with a batch for this model.
	Check(b Batch) error
	// Hidden is the width of the hidden states.
	Hidden() int
	// Sites is how many dropout sites Forward uses: 0 to Sites-1.
	Sites() uint32
	// Forward returns every hidden state [tokens, hidden], the last layer's last.
	Forward(s *tensor.Scope, b Batch, rows *tensor.Packed, random *tensor.Randomness) []tensor.T
	// SummaryLast says that the cls pooling takes a row's last token instead of its first.
	SummaryLast() bool
}

var _ Encoder = (*BERT)(nil)

// New adds the checkpoint's parameters to params, under prefix + the checkpoint's names, and
// returns the model that uses them.
func New(s *tensor.Scope, w *pretrained.Weights, params *tensor.Params, prefix string) (Encoder, error) {
	m, err := NewBERT(s, w, params, prefix)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// SummaryLast is false: BERT's first token stands for the row.
func (m *BERT) SummaryLast() bool { return false }
