// Package models makes small backbones with random weights and a vocabulary of the user's
// own corpus, so that a first study needs no download. They are folders like any
// checkpoint of the hub: config.json, model.safetensors and the vocabulary's files. The
// vocabulary is a WordPiece one whatever the architecture.
package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
	"github.com/supermax-hpo/supermax/shared/config"
)

// ErrInput marks what the user can mend: an option, the corpus, or a folder in use.
// Nothing was changed.
var ErrInput = errors.New("wrong input")

// Options say what Init makes. Equal options give equal files.
type Options struct {
	Like         string // of [Architectures]
	Layers       int
	Hidden       int // a multiple of Heads
	Heads        int
	Intermediate int // the feed-forward layers' width; 0: 4 × Hidden
	Vocab        int // most tokens; a small corpus may give fewer
	MaxPositions int // the longest input in tokens
	Seed         uint64
	Corpus       config.Corpus // whose texts the vocabulary is learnt from
}

// Result says what a folder holds after Init.
type Result struct {
	Made       bool // false: an identical Init had made it before
	Vocab      int  // tokens
	Parameters int
}

// Init makes the folder dir with a new backbone. It appears whole or not at all. A folder
// that an identical Init made is left as it is; any other that is not empty is refused, as
// are wrong options and a wrong corpus, with an error that is ErrInput.
func Init(ctx context.Context, dir string, o Options) (Result, error) {
	r, err := initialize(ctx, dir, o)
	if err != nil {
		return Result{}, fmt.Errorf("make backbone: %w", err)
	}
	return r, nil
}

func initialize(ctx context.Context, dir string, o Options) (Result, error) {
	if dir == "" {
		return Result{}, input("no folder is named")
	}
	c, err := o.model()
	if err != nil {
		return Result{}, err
	}
	corpus, err := dataset.Open(ctx, o.Corpus)
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	if err != nil {
		return Result{}, wrongInput{err}
	}
	want := o.record(corpus.Fingerprint())
	if there, err := lookAt(dir, want); err != nil || there != nil {
		return made(there, false), err
	}
	texts, err := corpusTexts(corpus)
	if err != nil {
		return Result{}, wrongInput{err}
	}
	vocab, err := tokenizer.TrainWordPiece(texts, o.Vocab, tokenizer.TrainOptions{})
	if err != nil {
		return Result{}, wrongInput{err}
	}
	c.VocabSize = len(vocab)
	want.Result = &resultRecord{Vocab: len(vocab), Parameters: pretrained.Count(c)}
	err = whole(dir, func(tmp string) error {
		if err := tokenizer.WriteVocab(tmp, vocab, tokenizer.VocabOptions{MaxLength: o.MaxPositions}); err != nil {
			return err
		}
		if err := pretrained.Init(tmp, c, o.Seed); err != nil {
			return err
		}
		return want.write(tmp)
	})
	if errors.Is(err, os.ErrExist) { // another process was faster
		there, err := lookAt(dir, want)
		if err == nil && there == nil {
			err = input(fmt.Sprintf("%s was in use", dir))
		}
		return made(there, false), err
	}
	if err != nil {
		return Result{}, err
	}
	return made(&want, true), nil
}

// corpusTexts returns each criterion's wording and each post once.
func corpusTexts(corpus *dataset.Corpus) ([]string, error) {
	examples, err := corpus.Examples(dataset.Criteria)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var texts []string
	for _, e := range examples {
		for _, text := range []string{e.A, e.B} {
			if !seen[text] {
				seen[text] = true
				texts = append(texts, text)
			}
		}
	}
	return texts, nil
}

// whole makes dir by way of a folder beside it, which takes dir's name once write is
// done. The error is os.ErrExist when dir has come to be meanwhile.
func whole(dir string, write func(tmp string) error) (err error) {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(tmp) // the first error counts
		}
	}()
	if err := write(tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(tmp, dir)
}

// wrongInput marks an error as ErrInput without changing its words.
type wrongInput struct{ error }

func (w wrongInput) Is(target error) bool { return target == ErrInput }

func (w wrongInput) Unwrap() error { return w.error }

func input(message string) error { return wrongInput{errors.New(message)} }
