// Package preflight looks at everything that a study needs before it is started anywhere.
package preflight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/config"
)

// Check looks at everything that a study needs before anything is written: that what
// its space may ask for is implemented, that its backbones can be read and used, and that
// its corpus can be read and split. It returns the fingerprints by which a later start of
// the same study knows that they are still the same.
func Check(ctx context.Context, study *config.Study) (fingerprints map[string]string, err error) {
	fingerprints = map[string]string{}
	types := map[string]string{}
	for _, name := range Backbones(study) {
		dir, ok := study.Models[name]
		if !ok {
			continue // support.Check says whether a backbone of that name could be trained
		}
		cfg, err := pretrained.LoadConfig(dir)
		if err != nil {
			return nil, mistake.Errorf("model.name %s: %w", name, err)
		}
		types[name] = cfg.ModelType
	}
	if err := support.Check(study.Space, types); err != nil {
		return nil, mistake.Wrap(err)
	}
	for _, name := range Backbones(study) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir, ok := study.Models[name]
		if !ok {
			return nil, mistake.Errorf("model.name %s: the study does not say where it lies; add it under models:, as %s: FOLDER", name, name)
		}
		if err := readable(dir, study); err != nil {
			return nil, mistake.Errorf("model.name %s: %w", name, err)
		}
		if fingerprints["backbone "+name], err = fingerprint(dir); err != nil {
			return nil, fmt.Errorf("model.name %s: %w", name, err)
		}
	}
	corpus, err := dataset.Open(ctx, study.Corpus)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	fingerprints["corpus"] = corpus.Fingerprint()
	examples, err := corpus.Examples(study.Agent)
	if err != nil {
		return nil, mistake.Wrap(err)
	}
	if _, err := dataset.Split(examples, study.Training.ValidFraction, study.Training.SplitSeed); err != nil {
		return nil, mistake.Wrap(err)
	}
	if _, err := dataset.Folds(examples, study.Stages.C.Folds, study.Stages.C.FoldSeed); err != nil {
		return nil, mistake.Wrap(err)
	}
	return fingerprints, nil
}

// readable reports why the study's trials could not use the backbone in a folder.
func readable(dir string, study *config.Study) error {
	weights, err := pretrained.Load(dir)
	if err != nil {
		return err
	}
	t, err := tokenizer.Load(dir)
	if err != nil {
		return err
	}
	length, _ := study.Space.Param("tok.max_length")
	return support.CheckBackbone(weights.Config, t.VocabSize(), int(length.High))
}

// Backbones returns the names of the backbones that the study may ask for, in order.
func Backbones(study *config.Study) []string {
	param, ok := study.Space.Param("model.name")
	if !ok {
		return nil
	}
	var names []string
	for _, choice := range param.Choices {
		if name, ok := choice.AsString(); ok {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// fingerprint is the SHA-256 over the names and contents of a backbone's files.
func fingerprint(dir string) (string, error) {
	files, err := pretrained.Files(dir)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range files {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s\n", name)
		_, err = io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
