package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
	"github.com/supermax-hpo/supermax/shared/dataref"
)

// library holds what trials share: the tokenised corpus, once for each tokenizer and
// length, and the backbone that was read last.
type library struct {
	places   map[string]string                                       // backbone → where the study says that it lies
	find     func(ctx context.Context, place string) (string, error) // place → folder
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

func newLibrary(places map[string]string, find func(context.Context, string) (string, error), examples []dataset.Example) *library {
	return &library{
		places: places, find: find, examples: examples,
		tokenizers: map[string]*tokenizer.Tokenizer{}, rows: map[rowsKey][]encodedRow{},
	}
}

// folder returns the folder of a backbone. That there is none, and never will be, is the
// trial's fault; any other error is this machine's.
func (l *library) folder(ctx context.Context, name string) (string, error) {
	place, ok := l.places[name]
	if !ok {
		return "", dataError(fmt.Errorf("the study's models name no folder for the backbone %q", name))
	}
	folder, err := l.find(ctx, place)
	if errors.Is(err, dataref.ErrUnusable) {
		return "", dataError(fmt.Errorf("backbone %q: %w", name, err))
	}
	return folder, err
}

// backbone returns the weights of a backbone in its folder and the corpus as its tokenizer
// cuts it, one row an example. The criterion stays whole; the post or sentence loses its
// end. No error holds post text.
func (l *library) backbone(name, folder string, maxLength int) (*pretrained.Weights, []encodedRow, error) {
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
