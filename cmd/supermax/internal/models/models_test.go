package models

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/batchjob/dataset"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/support"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
	"github.com/supermax-hpo/supermax/shared/config"
)

// corpus writes a corpus of two posts.
func corpus(t *testing.T) config.Corpus {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"posts.csv":       "post_id,text\np1,I cannot sleep at night.\np2,I sleep well at night.\n",
		"criteria.csv":    "criterion_id,name,text\nsleep,Sleep,Trouble to sleep.\n",
		"groundtruth.csv": "post_id,criterion_id,label\np1,sleep,1\np2,sleep,0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Corpus{Dir: dir, Layout: dataset.Groundtruth}
}

func options(t *testing.T) Options {
	return Options{Like: LikeBERT, Layers: 1, Hidden: 8, Heads: 2, Vocab: 60, MaxPositions: 32, Seed: 1, Corpus: corpus(t)}
}

// files returns a folder's files and their contents.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

func TestInit(t *testing.T) {
	o := options(t)
	parent := t.TempDir()
	dir := filepath.Join(parent, "models", "tiny")
	got, err := Init(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pretrained.LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pretrained.Load(dir); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.VocabSize != tok.VocabSize() || c.VocabSize != got.Vocab || got.Vocab > o.Vocab || c.IntermediateSize != 32 {
		t.Errorf("config.json has %d tokens and width %d, the tokenizer %d, the result %d", c.VocabSize, c.IntermediateSize, tok.VocabSize(), got.Vocab)
	}
	// Embeddings (V + 32 + 2)·8 and their LayerNorm 16; the layer: four 8×8 with biases,
	// 8×32 and 32×8 with biases, two LayerNorms; the pooler 8×8 with bias.
	want := Result{Made: true, Vocab: got.Vocab, Parameters: (got.Vocab+34)*8 + 16 + 4*72 + (8*32 + 32) + (32*8 + 8) + 32 + 72}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("result (-want +got):\n%s", d)
	}
	if e := tok.Encode("sleep"); len(e.IDs) != 3 || e.Tokens[1] != "sleep" { // it occurs three times
		t.Errorf("sleep is %v", e.Tokens)
	}

	before := files(t, dir)
	want.Made = false
	again, err := Init(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, again); d != "" {
		t.Errorf("again (-want +got):\n%s", d)
	}
	other := filepath.Join(parent, "other") // an empty folder is taken
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(t.Context(), other, o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Errorf("the second call changed (-before +after):\n%s", d)
	}
	if d := cmp.Diff(before, files(t, other)); d != "" {
		t.Errorf("equal options, other files (-one +other):\n%s", d)
	}
	if left, err := filepath.Glob(filepath.Join(parent, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestInitTogether(t *testing.T) {
	o := options(t)
	dir := filepath.Join(t.TempDir(), "tiny")
	results := make([]Result, 4)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i], errs[i] = Init(context.Background(), dir, o) })
	}
	wg.Wait()
	count := 0
	for i, r := range results {
		if errs[i] != nil {
			t.Error(errs[i])
		}
		if r.Made {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d made the folder", count)
	}
}

func TestInitRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(*Options)
		want   string
	}{
		"architecture": {func(o *Options) { o.Like = "gpt" }, `like "gpt" is not known (allowed: albert, bert, convbert,`},
		"heads":        {func(o *Options) { o.Heads = 3 }, "hidden_size 8 is not a multiple of num_attention_heads 3"},
		"layers":       {func(o *Options) { o.Layers = 0 }, "num_hidden_layers is 0, allowed is 1"},
		"vocabulary":   {func(o *Options) { o.Vocab = 9 }, "size 9 is too small"},
		"corpus":       {func(o *Options) { o.Corpus.Dir += "/none" }, "open corpus"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			c.change(&o)
			parent := t.TempDir()
			_, err := Init(t.Context(), filepath.Join(parent, "tiny"), o)
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if left := files(t, parent); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	if _, err := Init(t.Context(), "", options(t)); !errors.Is(err, ErrInput) {
		t.Errorf("no folder: %v", err)
	}
}

func TestInitRefusesFolders(t *testing.T) {
	o := options(t)
	model := filepath.Join(t.TempDir(), "tiny")
	if _, err := Init(t.Context(), model, o); err != nil {
		t.Fatal(err)
	}
	otherCorpus := corpus(t)
	if err := os.WriteFile(filepath.Join(otherCorpus.Dir, "posts.csv"), []byte("post_id,text\np1,Other.\np2,Words.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		prepare func(dir string) error
		change  func(*Options)
		want    string
	}{
		"a stranger":  {func(dir string) error { return os.Remove(filepath.Join(dir, RecordFile)) }, nil, "is not empty and holds no supermax.json"},
		"a lost file": {func(dir string) error { return os.Remove(filepath.Join(dir, "vocab.txt")) }, nil, "has lost its vocab.txt"},
		"no record":   {func(dir string) error { return os.WriteFile(filepath.Join(dir, RecordFile), []byte("[]"), 0o600) }, nil, "is not the record of a backbone"},
		"newer": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, RecordFile), []byte(`{"schema_version": 2}`), 0o600)
		}, nil, "schema_version is 2, this supermax reads 1"},
		"other seed":   {nil, func(o *Options) { o.Seed = 2 }, "its seed is 1, not 2"},
		"other width":  {nil, func(o *Options) { o.Intermediate = 16 }, "its intermediate is 32, not 16"},
		"other corpus": {nil, func(o *Options) { o.Corpus = otherCorpus }, "its corpus was another"},
		"a file": {func(dir string) error {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
			return os.WriteFile(dir, nil, 0o600)
		}, nil, "is a file, not a folder"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tiny")
			if err := os.CopyFS(dir, os.DirFS(model)); err != nil {
				t.Fatal(err)
			}
			o := o
			if c.prepare != nil {
				if err := c.prepare(dir); err != nil {
					t.Fatal(err)
				}
			}
			if c.change != nil {
				c.change(&o)
			}
			_, err := Init(t.Context(), dir, o)
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestInitNowhere: the folder's parent is a file, so that nothing can be made.
func TestInitNowhere(t *testing.T) {
	o := options(t)
	if _, err := Init(t.Context(), filepath.Join(o.Corpus.Dir, "posts.csv", "tiny"), o); err == nil || errors.Is(err, ErrInput) {
		t.Errorf("error %v", err)
	}
	if got := files(t, o.Corpus.Dir); len(got) != 3 {
		t.Errorf("the corpus changed: %v", got)
	}
}

func TestCorpusErrorsKeepTheirType(t *testing.T) {
	o := options(t)
	if err := os.WriteFile(filepath.Join(o.Corpus.Dir, "groundtruth.csv"), []byte("post_id,criterion_id,label\np1,sleep,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Init(t.Context(), filepath.Join(t.TempDir(), "tiny"), o)
	if in := new(dataset.InputError); !errors.As(err, &in) || !errors.Is(err, ErrInput) {
		t.Errorf("error %v", err)
	}
}

func TestInitStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	parent := t.TempDir()
	if _, err := Init(ctx, filepath.Join(parent, "tiny"), options(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left := files(t, parent); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWholeLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	broken := errors.New("broken")
	if err := whole(filepath.Join(parent, "x"), func(string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	full := filepath.Join(parent, "full")
	if err := os.MkdirAll(filepath.Join(full, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := whole(full, func(string) error { return nil }); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// Every architecture comes with a tokenizer whose pairs of texts it can read, as long as asked.
func TestArchitectures(t *testing.T) {
	for _, like := range Architectures() {
		t.Run(like, func(t *testing.T) {
			o := options(t)
			o.Like, o.Hidden, o.Heads = like, 16, 4
			dir := filepath.Join(t.TempDir(), like)
			made, err := Init(t.Context(), dir, o)
			if err != nil {
				t.Fatal(err)
			}
			w, err := pretrained.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := tokenizer.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			c := w.Config
			if c.ModelType != like || pretrained.Count(c) != made.Parameters || made.Parameters == 0 {
				t.Errorf("made a %s of %d parameters, the folder holds a %s of %d", like, made.Parameters, c.ModelType, pretrained.Count(c))
			}
			if err := support.CheckBackbone(c, tok.VocabSize(), o.MaxPositions); err != nil {
				t.Error(err)
			}
			if c.Positions() != o.MaxPositions && c.Positions() != 1<<20 {
				t.Errorf("%d positions, asked were %d", c.Positions(), o.MaxPositions)
			}
			pad, err := tok.EncodeInput(tokenizer.Input{A: "sleep"}, tokenizer.Options{MaxLength: 9, Pad: true})
			if err != nil || int(pad.IDs[8]) != c.PadTokenID {
				t.Errorf("pads with %v, the configuration says %d: %v", pad.IDs, c.PadTokenID, err)
			}
		})
	}
}
