package modelstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/hub"
	"github.com/supermax-hpo/supermax/cmd/supermax/internal/mistake"
	"github.com/supermax-hpo/supermax/shared/dataref"
	"github.com/supermax-hpo/supermax/shared/objects"
)

// A Bucket is a store in a bucket. The files lie where package dataref puts backbones, under
// their hash, so that a study's trainers fetch them as any other; models/<name>.json says
// where a name's are.
type Bucket struct {
	objects *objects.Bucket
}

const (
	namesPrefix = "models/"
	namesSuffix = ".json"
	// pointerVersion is the schema of what a name's object holds.
	pointerVersion = 1
)

// pointer is the content of a name's object.
type pointer struct {
	SchemaVersion int `json:"schema_version"`
	Entry
}

// Add implements [Store].
func (b *Bucket) Add(ctx context.Context, name, dir string, progress dataref.Progress) (Entry, error) {
	if err := hub.CheckName(name); err != nil {
		return Entry{}, err
	}
	about, err := Look(dir)
	if err != nil {
		return Entry{}, err
	}
	origin, err := readOrigin(dir)
	if err != nil {
		return Entry{}, err
	}
	files, err := pretrained.Files(dir) // no more, so that a study's own upload finds it there
	if err != nil {
		return Entry{}, mistake.Wrap(err)
	}
	there, err := b.Find(ctx, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Entry{}, err
	}
	taken := err == nil
	place, err := dataref.Upload(ctx, b.objects, dataref.Backbones, dir, files, progress)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: name, Place: place, About: about, Origin: origin}
	if taken {
		if there.Place != place {
			return Entry{}, mistake.Errorf("the store %s holds another backbone %s, at %s; choose another name", b.objects.URL(), name, there.Place)
		}
		return there, nil
	}
	data, err := json.MarshalIndent(pointer{pointerVersion, e}, "", "  ")
	if err != nil {
		return Entry{}, err
	}
	return e, b.objects.Write(ctx, key(name), append(data, '\n'))
}

func key(name string) string { return namesPrefix + name + namesSuffix }

// List implements [Store].
func (b *Bucket) List(ctx context.Context) ([]Entry, error) {
	keys, err := b.objects.List(ctx, namesPrefix)
	if err != nil {
		return nil, err
	}
	var all []Entry
	for _, k := range keys {
		name, ok := strings.CutSuffix(strings.TrimPrefix(k, namesPrefix), namesSuffix)
		if !ok || hub.CheckName(name) != nil {
			continue
		}
		e, err := b.Find(ctx, name)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			e = Entry{Name: name, Fault: err.Error()}
		}
		all = append(all, e)
	}
	return all, nil
}

// Find implements [Store].
func (b *Bucket) Find(ctx context.Context, name string) (Entry, error) {
	if err := hub.CheckName(name); err != nil {
		return Entry{}, err
	}
	data, err := b.objects.Read(ctx, key(name))
	if errors.Is(err, objects.ErrNotFound) {
		return Entry{}, mistake.Errorf("the store %s has no backbone %s: %w", b.objects.URL(), name, fs.ErrNotExist)
	}
	if err != nil {
		return Entry{}, err
	}
	var p pointer
	if err := json.Unmarshal(data, &p); err != nil || p.Name != name {
		return Entry{}, fmt.Errorf("read %s of %s: it does not say where a backbone lies", key(name), b.objects.URL())
	}
	if p.SchemaVersion != pointerVersion {
		return Entry{}, fmt.Errorf("read %s of %s: schema_version is %d, this supermax reads %d", key(name), b.objects.URL(), p.SchemaVersion, pointerVersion)
	}
	return p.Entry, nil
}

// Import checks the checkpoint in dir and puts it into the store under a name.
func Import(ctx context.Context, s Store, name, dir string, progress dataref.Progress) (Entry, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return Entry{}, mistake.Errorf("%s is not a folder", dir)
	}
	if name == "" {
		whole, err := filepath.Abs(dir)
		if err != nil {
			return Entry{}, err
		}
		name = filepath.Base(whole)
	}
	if err := hub.CheckName(name); err != nil {
		return Entry{}, err
	}
	if _, err := Check(dir); err != nil {
		return Entry{}, err
	}
	e, err := s.Add(ctx, name, dir, progress)
	if err != nil {
		return Entry{}, fmt.Errorf("import %s: %w", dir, err)
	}
	return e, nil
}
