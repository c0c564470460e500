package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const golden = "../../golden/tokenizers"

func TestPostsDiffer(t *testing.T) {
	posts, err := readPosts(filepath.Join(golden, "corpus.txt"), 500)
	if err != nil {
		t.Fatal(err)
	}
	again, err := readPosts(filepath.Join(golden, "corpus.txt"), 500)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, post := range posts {
		if seen[post] || post != again[i] || len(post) < 40 {
			t.Errorf("post %d is there already, changes from run to run or is short", i)
		}
		seen[post] = true
	}
}

func TestFolders(t *testing.T) {
	all, err := folders(golden, "")
	if err != nil || len(all) < 6 {
		t.Errorf("%d folders, %v", len(all), err)
	}
	some, err := folders(golden, "roberta,bert")
	if err != nil || len(some) != 2 || filepath.Base(some[0]) != "bert" {
		t.Errorf("%v, %v", some, err)
	}
	if _, err := folders(golden, "gpt"); err == nil {
		t.Error("a family that is not there is found")
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 2, 3}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("median %v, want %v", got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for want, args := range map[string][]string{
		"-python is missing":      nil,
		"-posts 0":                {"-python", "python3", "-posts", "0"},
		"no such file":            {"-python", "python3", "-golden", t.TempDir()},
		"has no folder":           {"-python", "python3", "-golden", golden, "-families", "gpt"},
		"start the peer":          {"-python", "/nonexistent", "-golden", golden, "-families", "bert", "-posts", "1"},
		"bert: ask the peer for ": {"-python", "/bin/false", "-golden", golden, "-families", "bert", "-posts", "1"},
	} {
		if err := run(context.Background(), args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", args, err, want)
		}
	}
}

// TestMeasures runs the whole thing on a few posts where its Python is installed.
func TestMeasures(t *testing.T) {
	python := "../../../.deps/tokenizers/bin/python"
	if _, err := os.Stat(python); err != nil {
		t.Skip("make bench-tokenizers has not installed the peer")
	}
	python, err := filepath.Abs(python)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-python", python, "-peer", "peer.py", "-golden", golden, "-families", "xlnet", "-posts", "50", "-passes", "1"}); err != nil {
		t.Error(err)
	}
}
