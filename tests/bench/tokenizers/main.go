// Command tokenizers measures our tokenizers and the Rust library beneath Hugging Face's fast
// tokenizers, in turn and in one run, and prints a line for each figure, in seconds for all
// posts:
//
//	bench tokenizers-bert-1thread ours=0.61s peer=2.90s ratio=4.75
//
// Both encode the same 10,000 posts, all different, made of the golden corpus' sentences,
// with the same tokenizer.json. The lines without "ids" compare what encode_batch returns:
// ids, type ids, mask and places in the text, which are checked to be equal before anything
// is measured; ours also names the tokens. The lines with "ids" leave the places out, as the
// trainer does, on both sides (encode_batch_fast there). `make bench-tokenizers` gives it a
// Python that has the packages of requirements.txt. Nothing else should run meanwhile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/supermax-hpo/supermax/tests/bench/internal/command"
)

func main() { command.Main("bench-tokenizers", run) }

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("tokenizers", flag.ContinueOnError)
	b := bench{line: func(format string, a ...any) { fmt.Printf("bench "+format+"\n", a...) }}
	flags.StringVar(&b.python, "python", "", "a Python that has requirements.txt")
	flags.StringVar(&b.program, "peer", "tests/bench/tokenizers/peer.py", "what it runs")
	golden := flags.String("golden", "tests/golden/tokenizers", "a folder with corpus.txt and folders of tokenizers")
	families := flags.String("families", "", "the folders to measure, with commas between; default all")
	posts := flags.Int("posts", 10_000, "how many texts are encoded")
	flags.IntVar(&b.passes, "passes", 3, "how often each figure is measured; the median counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.python == "" {
		return errors.New("-python is missing: a Python that has the packages of requirements.txt")
	}
	if *posts < 1 || b.passes < 1 {
		return fmt.Errorf("-posts %d and -passes %d are not both allowed; allowed: 1 or more", *posts, b.passes)
	}
	var err error
	if b.texts, err = readPosts(filepath.Join(*golden, "corpus.txt"), *posts); err != nil {
		return err
	}
	dirs, err := folders(*golden, *families)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := b.family(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(dir), err)
		}
	}
	return nil
}

// folders returns the folders in golden that have a tokenizer.json and, unless names is
// empty, are named there.
func folders(golden, names string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(golden, "*", "tokenizer.json"))
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, path := range found {
		dir := filepath.Dir(path)
		if names == "" || strings.Contains(","+names+",", ","+filepath.Base(dir)+",") {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("%s has no folder with a tokenizer.json of the families asked for", golden)
	}
	return dirs, nil
}
