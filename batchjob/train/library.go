package train

import (
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// library holds what trials share: the tokenised corpus, once for each tokenizer and
// length, and the backbone that was read last.
type library struct {
	folders  map[string]string // backbone → folder
	examples []dataset.Example

	tokenizers map[string]*tokenizer.Tokenizer // by folder
	rows       map[rowsKey][]encodedRow
	last       string // the folder of weights
	weights    *pretrained.Weights
}

type rowsKey struct {
	folder    string
	maxLength int
}

// encodedRow is one example as the model reads it, special tokens included.
type encodedRow struct{ ids, typeIDs []int32 }

func newLibrary(folders map[string]string, examples []dataset.Example) *library {
	return &library{
		folders: folders, examples: examples,
		tokenizers: map[string]*tokenizer.Tokenizer{}, rows: map[rowsKey][]encodedRow{},
	}
}

// backbone returns the weights of a backbone and the corpus as its tokenizer cuts it, one
// row an example. The criterion stays whole; the post or sentence loses its end. No error
// holds post text.
func (l *library) backbone(name string, maxLength int) (*pretrained.Weights, []encodedRow, error) {
	folder, ok := l.folders[name]
	if !ok {
		return nil, nil, fmt.Errorf("the study's models name no folder for the backbone %q", name)
	}
	if l.last != folder {
		w, err := pretrained.Load(folder)
		if err != nil {
			return nil, nil, err
		}
		l.last, l.weights = folder, w
	}
	t, err := l.tokenizer(folder)
	if err != nil {
		return nil, nil, err
	}
	if err := support.CheckBackbone(l.weights.Config, t.VocabSize(), maxLength); err != nil {
		return nil, nil, fmt.Errorf("backbone %q: %w", name, err)
	}
	rows, err := l.encode(t, rowsKey{folder, maxLength})
	if err != nil {
		return nil, nil, fmt.Errorf("tokenise for the backbone %q: %w", name, err)
	}
	return l.weights, rows, nil
}

func (l *library) tokenizer(folder string) (*tokenizer.Tokenizer, error) {
	if t, ok := l.tokenizers[folder]; ok {
		return t, nil
	}
	t, err := tokenizer.Load(folder)
	if err != nil {
		return nil, err
	}
	l.tokenizers[folder] = t
	return t, nil
}

func (l *library) encode(t *tokenizer.Tokenizer, key rowsKey) ([]encodedRow, error) {
	if rows, ok := l.rows[key]; ok {
		return rows, nil
	}
	inputs := make([]tokenizer.Input, len(l.examples))
	for i, e := range l.examples {
		inputs[i] = tokenizer.Input{A: e.A, B: e.B}
	}
	// An error names an input by its number: ids come from the corpus as text does.
	encoded, err := t.EncodeBatch(inputs, tokenizer.Options{MaxLength: key.maxLength, Truncation: tokenizer.OnlySecond, IDsOnly: true})
	if err != nil {
		return nil, err
	}
	rows := make([]encodedRow, len(encoded))
	for i, e := range encoded {
		rows[i] = encodedRow{e.IDs, e.TypeIDs}
	}
	l.rows[key] = rows
	return rows, nil
}
