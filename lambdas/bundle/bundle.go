// Package bundle holds studies that come with a program, in a folder beside it, so that one
// can be run where nobody has uploaded a corpus yet.
package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"

	"github.com/supermax-hpo/supermax/shared/config"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// A Folder holds study files as configs/study/<name>.yaml, and below it what they name with
// relative paths: a part of this repository. scripts/lambdas.sh makes it.
type Folder struct {
	Dir  string
	Data *objects.Bucket // where [Folder.Upload] brings what a study reads
}

var fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Study returns the study of that name; nil if there is none.
func (f Folder) Study(name string) (*config.Study, error) {
	if !fileName.MatchString(name) {
		return nil, nil
	}
	c, err := config.Load(filepath.Join(f.Dir, "configs", "study", name+".yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the bundled study %s: %w", name, err)
	}
	return c, nil
}

// Upload brings the study's corpus and backbones into the bucket and returns the study with
// their places there. What is there already is left as it is.
func (f Folder) Upload(ctx context.Context, s *config.Study) (*config.Study, error) {
	there := *s
	there.Models = maps.Clone(s.Models)
	var err error
	if there.Corpus.Dir, err = f.upload(ctx, dataref.Corpora, s.Corpus.Dir); err != nil {
		return nil, err
	}
	for name, dir := range s.Models {
		if there.Models[name], err = f.upload(ctx, dataref.Backbones, dir); err != nil {
			return nil, err
		}
	}
	return &there, nil
}

// upload brings all files of a folder into the bucket.
func (f Folder) upload(ctx context.Context, kind dataref.Kind, dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var files []string
	for _, e := range entries {
		files = append(files, e.Name())
	}
	return dataref.Upload(ctx, f.Data, kind, dir, files, nil)
}
