package train

import (
	"fmt"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
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
	c := l.weights.Config
	if maxLength > c.MaxPositionEmbeddings {
		return nil, nil, fmt.Errorf("tok.max_length %d is more than the %d positions of the backbone %q", maxLength, c.MaxPositionEmbeddings, name)
	}
	if c.TypeVocabSize < 2 {
		return nil, nil, fmt.Errorf("the backbone %q has type_vocab_size %d; pairs of texts need 2", name, c.TypeVocabSize)
	}
	rows, err := l.encode(folder, maxLength, c.VocabSize)
	if err != nil {
		return nil, nil, fmt.Errorf("tokenise for the backbone %q: %w", name, err)
	}
	return l.weights, rows, nil
}

func (l *library) encode(folder string, maxLength, vocabSize int) ([]encodedRow, error) {
	key := rowsKey{folder, maxLength}
	if rows, ok := l.rows[key]; ok {
		return rows, nil
	}
	t, ok := l.tokenizers[folder]
	if !ok {
		var err error
		if t, err = tokenizer.Load(folder); err != nil {
			return nil, err
		}
		if t.VocabSize() > vocabSize {
			return nil, fmt.Errorf("the tokenizer has %d ids, the backbone embeds %d", t.VocabSize(), vocabSize)
		}
		l.tokenizers[folder] = t
	}
	options := tokenizer.Options{MaxLength: maxLength, Truncation: tokenizer.OnlySecond, IDsOnly: true}
	rows := make([]encodedRow, len(l.examples))
	for i, e := range l.examples {
		enc, err := t.EncodeInput(tokenizer.Input{A: e.A, B: e.B}, options)
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", e.ID, err)
		}
		rows[i] = encodedRow{slices.Clip(enc.IDs), slices.Clip(enc.TypeIDs)}
	}
	l.rows[key] = rows
	return rows, nil
}
