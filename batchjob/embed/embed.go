// Package embed turns texts into a backbone's hidden states, or one vector each.
package embed

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/supermax-hpo/supermax/batchjob/backbone"
	"github.com/supermax-hpo/supermax/batchjob/head"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/batchjob/textlines"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// NoPooling keeps every token's hidden state.
const NoPooling = "none"

// Poolings are what [Options] may name: those of package head that learn nothing, and none.
func Poolings() []string { return []string{"cls", "mean", "max", NoPooling} }

// Options of [Run].
type Options struct {
	Folder    string // the backbone's, with its tokenizer
	Pooling   string // of [Poolings]
	MaxLength int    // in tokens; 0: 512, or the backbone's positions where they are fewer
	Format    string // JSONL or Parquet
	Worker    *tensor.Worker
}

// defaultLength is the usual length of the backbones that have no bound of their own.
const defaultLength = 512

// chunkItems is how many texts are held at a time, batchTokens how many tokens go through
// the backbone together.
const (
	chunkItems  = 512
	batchTokens = 8192
)

// Run reads texts and writes what the last layer makes of each, in their order. A text that
// is longer than MaxLength loses its end, a pair that of the longer text. It errs on the first
// line that is no text ([textlines.ErrLine]), after those before it.
func Run(ctx context.Context, o Options, in io.Reader, out io.Writer) (err error) {
	if !slices.Contains(Poolings(), o.Pooling) {
		return fmt.Errorf("pooling %q is not allowed; allowed: %v", o.Pooling, Poolings())
	}
	w, err := newWriter(o.Format, o.Pooling != NoPooling, out)
	if err != nil {
		return err
	}
	e := &embedder{Options: o, params: tensor.NewParams()}
	defer e.params.Free()
	if err := e.load(); err != nil {
		return err
	}
	lines := textlines.NewReader(in)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		items, err := next(lines, chunkItems)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			break
		}
		results, err := e.embed(ctx, items)
		if err != nil {
			return err
		}
		for _, r := range results {
			if err := w.write(r); err != nil {
				return fmt.Errorf("write the vectors: %w", err)
			}
		}
	}
	if err := w.close(); err != nil {
		return fmt.Errorf("write the vectors: %w", err)
	}
	return nil
}

type embedder struct {
	Options
	tokenizer *tokenizer.Tokenizer
	params    *tensor.Params
	encoder   *backbone.Encoder
	even      bool       // rows of other lengths may not stand together
	head      *head.Head // for its pooling
}

func (e *embedder) load() error {
	weights, err := pretrained.Load(e.Folder)
	if err != nil {
		return err
	}
	if e.tokenizer, err = tokenizer.Load(e.Folder); err != nil {
		return err
	}
	if err := support.CheckVocabulary(weights.Config, e.tokenizer.VocabSize()); err != nil {
		return fmt.Errorf("the backbone in %s does not fit: %w", e.Folder, err)
	}
	e.even = weights.Config.PaddingCounts()
	positions := weights.Config.Positions()
	e.MaxLength = cmp.Or(e.MaxLength, min(defaultLength, positions))
	if e.MaxLength < 1 || e.MaxLength > positions {
		return fmt.Errorf("maximum length %d is not allowed; allowed: 1 to %d, or 0 for at most %d", e.MaxLength, positions, defaultLength)
	}
	return e.Worker.Try(func(s *tensor.Scope) (err error) {
		if e.encoder, err = backbone.New(s, weights, e.params, ""); err != nil {
			return err
		}
		c := head.Config{Prefix: "pooling.", Pooling: e.Pooling, Last: e.encoder.SummaryLast(), Classes: 2}
		if e.Pooling == NoPooling {
			return nil
		}
		e.head, err = head.New(s, c, e.encoder.Hidden(), 0, e.params)
		return err
	})
}

// embed computes the texts, those of like lengths together.
func (e *embedder) embed(ctx context.Context, items []item) ([]result, error) {
	inputs := make([]tokenizer.Input, len(items))
	for i, it := range items {
		inputs[i] = it.input
	}
	encoded, err := e.tokenizer.EncodeBatch(inputs, tokenizer.Options{MaxLength: e.MaxLength, IDsOnly: true})
	if err != nil {
		return nil, fmt.Errorf("tokenise the texts: %w", err)
	}
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(encoded[a].IDs), len(encoded[b].IDs)) })
	results := make([]result, len(items))
	length := func(i int) int { return len(encoded[i].IDs) }
	for _, which := range backbone.Chunks(order, length, batchTokens, e.even) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := e.batch(which, encoded, results); err != nil {
			return nil, err
		}
	}
	for i := range results {
		results[i].id = items[i].id
	}
	return results, nil
}

// batch fills in the results of some texts.
func (e *embedder) batch(which []int, encoded []tokenizer.Encoding, results []result) error {
	var b backbone.Batch
	for _, i := range which {
		b.Append(encoded[i].IDs, encoded[i].TypeIDs)
	}
	if err := e.encoder.Check(b); err != nil {
		return err
	}
	hidden := e.encoder.Hidden()
	return e.Worker.Try(func(s *tensor.Scope) error {
		s.NoGrad(func() {
			rows := s.Pack(b.Starts, false, 0)
			var made tensor.T
			switch {
			case e.head == nil:
				made = e.encoder.Last(s, b, rows, nil, backbone.Tokens)
			case e.head.ReadsSummaries():
				made = e.encoder.Last(s, b, rows, nil, backbone.Summaries)
			default:
				made = e.head.Pool(s, e.encoder.Last(s, b, rows, nil, backbone.Tokens), rows)
			}
			values := s.Read(made)
			for r, i := range which {
				from, to := b.Starts[r], b.Starts[r+1]
				if e.head != nil {
					from, to = r, r+1
				}
				results[i] = result{ids: encoded[i].IDs, vector: values[from*hidden : to*hidden : to*hidden], hidden: hidden}
			}
		})
		return nil
	})
}
