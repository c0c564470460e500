package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// RecordFile lies beside a backbone that Init made and says from what.
const RecordFile = "supermax.json"

// recordVersion is the record's schema.
const recordVersion = 1

// record is the content of RecordFile.
type record struct {
	Version      int           `json:"schema_version"`
	Like         string        `json:"like"`
	Layers       int           `json:"layers"`
	Hidden       int           `json:"hidden"`
	Heads        int           `json:"heads"`
	Intermediate int           `json:"intermediate"`
	Vocab        int           `json:"vocab"`
	MaxPositions int           `json:"max_positions"`
	Seed         uint64        `json:"seed"`
	Corpus       string        `json:"corpus"`   // its fingerprint
	Layout       string        `json:"layout"`   // how it was read
	Criteria     []string      `json:"criteria"` // the ids kept; empty: all
	MaxPosts     int           `json:"max_posts"`
	Result       *resultRecord `json:"result"`
}

type resultRecord struct {
	Vocab      int `json:"vocab"`
	Parameters int `json:"parameters"`
}

func (o Options) record(fingerprint string) record {
	return record{
		Version: recordVersion, Like: o.Like, Layers: o.Layers, Hidden: o.Hidden, Heads: o.Heads,
		Intermediate: o.Intermediate, Vocab: o.Vocab, MaxPositions: o.MaxPositions, Seed: o.Seed,
		Corpus: fingerprint, Layout: o.Corpus.Layout, MaxPosts: o.Corpus.MaxPosts,
		Criteria: append([]string{}, o.Corpus.Criteria...),
	}
}

func made(r *record, now bool) Result {
	if r == nil || r.Result == nil {
		return Result{}
	}
	return Result{Made: now, Vocab: r.Result.Vocab, Parameters: r.Result.Parameters}
}

func (r record) write(dir string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, RecordFile), append(data, '\n'), 0o644)
}

// lookAt returns the record of dir when it is what was wanted, nil when dir is free, and
// an error that is ErrInput when something else is there.
func lookAt(dir string, want record) (*record, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil, nil
	}
	if err != nil {
		if info, statErr := os.Stat(dir); statErr == nil && !info.IsDir() {
			return nil, input(fmt.Sprintf("%s is a file, not a folder", dir))
		}
		return nil, err
	}
	path := filepath.Join(dir, RecordFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, input(fmt.Sprintf("%s is not empty and holds no %s; choose another folder", dir, RecordFile))
	}
	if err != nil {
		return nil, err
	}
	var there record
	if err := json.Unmarshal(data, &there); err != nil {
		return nil, input(fmt.Sprintf("read %s: it is not the record of a backbone", path))
	}
	if there.Version != recordVersion {
		return nil, input(fmt.Sprintf("read %s: schema_version is %d, this supermax reads %d", path, there.Version, recordVersion))
	}
	if what := there.differs(want); what != "" {
		return nil, input(fmt.Sprintf("%s holds another backbone: %s; choose another folder or delete it", dir, what))
	}
	for _, name := range []string{"config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return nil, input(fmt.Sprintf("%s has lost its %s; delete the folder to make it again", dir, name))
		}
	}
	return &there, nil
}

// differs names the first option that is not as wanted.
func (r record) differs(want record) string {
	for _, o := range []struct {
		name        string
		there, here any
	}{
		{"like", r.Like, want.Like}, {"layers", r.Layers, want.Layers}, {"hidden", r.Hidden, want.Hidden},
		{"heads", r.Heads, want.Heads}, {"intermediate", r.Intermediate, want.Intermediate},
		{"vocab", r.Vocab, want.Vocab}, {"max-positions", r.MaxPositions, want.MaxPositions},
		{"seed", r.Seed, want.Seed}, {"layout", r.Layout, want.Layout}, {"max-posts", r.MaxPosts, want.MaxPosts},
		{"criteria", fmt.Sprint(r.Criteria), fmt.Sprint(want.Criteria)},
	} {
		if o.there != o.here {
			return fmt.Sprintf("its %s is %v, not %v", o.name, o.there, o.here)
		}
	}
	if r.Corpus != want.Corpus {
		return "its corpus was another"
	}
	return ""
}
