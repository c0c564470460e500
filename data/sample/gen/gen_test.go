package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/shared/config"
)

// sample is the folder data/sample.
const sample = ".."

// The committed corpus is what the generator writes, byte for byte, and nothing else.
func TestCommittedFilesAreGenerated(t *testing.T) {
	want := files(compose())
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join(sample, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, content) {
			t.Errorf("%s differs from what the generator writes; run go run ./data/sample/gen", name)
		}
	}
	for _, layout := range []string{dataset.RedSM5, dataset.Groundtruth} {
		entries, err := os.ReadDir(filepath.Join(sample, layout))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if want[layout+"/"+e.Name()] == nil {
				t.Errorf("%s/%s is not written by the generator", layout, e.Name())
			}
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range files(compose()) {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: not written whole (%v)", name, err)
		}
	}
	if err := write(filepath.Join(dir, "redsm5", "posts.csv")); err == nil {
		t.Error("writing below a file succeeded")
	}
}

func open(t *testing.T, layout string) *dataset.Corpus {
	t.Helper()
	c, err := dataset.Open(context.Background(), config.Corpus{Dir: filepath.Join(sample, layout), Layout: layout})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Both layouts say the same about the same posts, sentence by sentence.
func TestLayoutsAgree(t *testing.T) {
	red, ground := open(t, dataset.RedSM5), open(t, dataset.Groundtruth)
	if d := cmp.Diff(red.Criteria(), ground.Criteria()); d != "" {
		t.Errorf("criteria (-redsm5 +groundtruth):\n%s", d)
	}
	for _, agent := range []string{dataset.Criteria, dataset.Evidence} {
		a, err := red.Examples(agent)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ground.Examples(agent)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) {
			t.Errorf("%s: the layouts give different examples (%d and %d)", agent, len(a), len(b))
		}
	}
}

// What the README promises: 400 posts of 40 to 110 words, and nine criteria that 15 to 40 %
// of the posts meet.
func TestCorpusIsAsDescribed(t *testing.T) {
	c := open(t, dataset.Groundtruth)
	if len(c.Criteria()) != 9 || c.Posts() != 400 {
		t.Errorf("got %d criteria and %d posts, want 9 and 400", len(c.Criteria()), c.Posts())
	}
	examples, err := c.Examples(dataset.Criteria)
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]int{}
	texts := map[string]bool{}
	for _, e := range examples {
		met[e.CriterionID] += e.Label
		texts[e.B] = true
		if n := len(strings.Fields(e.B)); n < minWords || n > maxWords {
			t.Errorf("%s has %d words, want %d to %d", e.PostID, n, minWords, maxWords)
		}
	}
	if len(texts) != 400 {
		t.Errorf("%d different posts, want 400", len(texts))
	}
	for id, n := range met {
		if n < 60 || n > 160 {
			t.Errorf("%s is met in %d posts, want 60 to 160 (15 to 40 %% of 400)", id, n)
		}
	}
}

func TestExpandLeavesNoTemplate(t *testing.T) {
	for _, e := range compose() {
		if text := e.text(); strings.ContainsAny(text, "{}|$") || strings.Contains(text, "  ") || strings.Contains(text, " .") || strings.Contains(text, " ,") {
			t.Errorf("%s holds a template's remains: %s", e.id, text)
		}
	}
}

// Exactly 5 % of the 3,600 labels are turned over: without noise the same dice give the
// same posts.
func TestMislabelTurnsOverItsShare(t *testing.T) {
	posts := []entry{}
	d := dice{newSource()}
	for range 40 {
		posts = append(posts, d.post())
	}
	before := map[[2]int]bool{}
	for i, e := range posts {
		for c := range themes {
			before[[2]int{i, c}] = e.meets(c)
		}
	}
	d.mislabel(posts)
	turned := 0
	for i, e := range posts {
		for c := range themes {
			if before[[2]int{i, c}] != e.meets(c) {
				turned++
			}
		}
	}
	if turned != 18 { // 5 % of 40 · 9
		t.Errorf("%d labels turned over, want 18", turned)
	}
}
