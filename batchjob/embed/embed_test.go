package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/supermax-hpo/supermax/batchjob/internal/modeltest"
	"github.com/supermax-hpo/supermax/batchjob/pretrained"
	"github.com/supermax-hpo/supermax/batchjob/tensor"
	"github.com/supermax-hpo/supermax/batchjob/textlines"
)

// tiny makes a small backbone with a tokenizer of eight words.
func tiny(t *testing.T, modelType string) string {
	t.Helper()
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "e", "f", "g", "h"}
	c := pretrained.Default(modelType)
	c.VocabSize, c.HiddenSize, c.EmbeddingSize, c.NumHiddenLayers, c.NumAttentionHeads = len(words), 8, 8, 1, 4
	c.IntermediateSize, c.MaxPositionEmbeddings, c.InitializerRange = 16, 16, 0.5
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := pretrained.Init(dir, c, 1); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vocab.txt"), []byte(strings.Join(words, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, o Options, in string) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	if err := Run(t.Context(), o, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	return &out
}

func lines[T any](t *testing.T, out *bytes.Buffer) []T {
	t.Helper()
	var all []T
	for line := range strings.Lines(out.String()) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

const texts = `{"text": "a b c d"}
{"id": "pair", "a": "a b", "b": "c"}

{"id": 7, "text": "h", "other": {}}
`

// The pooled vectors are the poolings of the hidden states, and Parquet holds what JSON does.
func TestPoolings(t *testing.T) {
	for _, modelType := range []string{pretrained.ModelTypeBERT, pretrained.ModelTypeConvBERT} {
		o := Options{Folder: tiny(t, modelType), Worker: modeltest.Worker(t, tensor.Kernels), Format: JSONL, Pooling: NoPooling}
		before := tensor.LiveTensors()
		states := lines[States](t, run(t, o, texts))
		var ids []string
		for _, s := range states {
			ids = append(ids, fmt.Sprint(s.ID, s.IDs))
			if len(s.States) != len(s.IDs) || len(s.States[0]) != 8 {
				t.Fatalf("%s: %d states of %d tokens", s.ID, len(s.States), len(s.IDs))
			}
		}
		if want := []string{"1[2 5 6 7 8 3]", "pair[2 5 6 3 7 3]", "7[2 12 3]"}; !slices.Equal(ids, want) {
			t.Errorf("got %v, want %v", ids, want)
		}
		for _, pooling := range []string{"cls", "mean", "max"} {
			o.Pooling = pooling
			for i, p := range lines[Pooled](t, run(t, o, texts)) {
				if p.ID != states[i].ID || len(p.Vector) != 8 {
					t.Fatalf("%s of %d values for %s", p.ID, len(p.Vector), states[i].ID)
				}
				for j, v := range p.Vector {
					want, n := float64(states[i].States[0][j]), float64(len(states[i].States))
					sum := 0.0
					for _, s := range states[i].States {
						sum += float64(s[j])
						if pooling == "max" {
							want = max(want, float64(s[j]))
						}
					}
					if pooling == "mean" {
						want = sum / n
					}
					if d := math.Abs(float64(v) - want); !(d <= 1e-5) {
						t.Errorf("%s, %s: element %d of %s is %v, want %v", modelType, pooling, j, p.ID, v, want)
					}
				}
			}
		}
		if n := tensor.LiveTensors(); n != before {
			t.Errorf("%d tensors live after, %d before", n, before)
		}
		o.Format = Parquet
		jsonl := o
		jsonl.Format = JSONL
		rows, err := parquet.Read[Pooled](bytes.NewReader(run(t, o, texts).Bytes()), int64(run(t, o, texts).Len()))
		if want := lines[Pooled](t, run(t, jsonl, texts)); err != nil || fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("Parquet holds %v, %v, want %v", rows, err, want)
		}
		o.Pooling = NoPooling
		out := run(t, o, texts).Bytes()
		tokens, err := parquet.Read[State](bytes.NewReader(out), int64(len(out)))
		if err != nil || len(tokens) != 15 || fmt.Sprint(tokens[6]) != fmt.Sprint(State{"pair", 0, 2, states[1].States[0]}) {
			t.Errorf("Parquet holds %d tokens, %v", len(tokens), err)
		}
	}
}

// More texts than are held at a time come in their order, each as if it were alone.
func TestManyTexts(t *testing.T) {
	o := Options{Folder: tiny(t, pretrained.ModelTypeBERT), Worker: modeltest.Worker(t, tensor.Kernels), Format: JSONL, Pooling: "mean", MaxLength: 9}
	var in strings.Builder
	kinds := make([]string, 7)
	for i := range kinds {
		kinds[i] = fmt.Sprintf(`{"text": "%s"}`, strings.TrimSpace(strings.Repeat(string(rune('a'+i))+" ", 1+3*i)))
	}
	for i := range 2*chunkItems + 5 {
		in.WriteString(kinds[i%len(kinds)] + "\n")
	}
	all := lines[Pooled](t, run(t, o, in.String()))
	if len(all) != 2*chunkItems+5 {
		t.Fatalf("%d vectors", len(all))
	}
	for k, kind := range kinds {
		alone := lines[Pooled](t, run(t, o, kind))[0]
		for i := k; i < len(all); i += len(kinds) {
			if all[i].ID != fmt.Sprint(i+1) {
				t.Fatalf("vector %d has id %s", i, all[i].ID)
			}
			for j, v := range alone.Vector {
				if d := math.Abs(float64(v - all[i].Vector[j])); d > 1e-5 {
					t.Fatalf("text %d differs by %v from the text alone", i, d)
				}
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	folder := tiny(t, pretrained.ModelTypeBERT)
	small := tiny(t, pretrained.ModelTypeBERT)
	if err := os.WriteFile(filepath.Join(small, "vocab.txt"), []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"+strings.Repeat("x", 3)+"\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := Options{Folder: folder, Worker: modeltest.Worker(t, tensor.Kernels), Format: JSONL, Pooling: "mean"}
	for name, c := range map[string]struct {
		edit  func(*Options)
		in    string
		want  string
		input bool
	}{
		"pooling":       {edit: func(o *Options) { o.Pooling = "attention" }, want: `pooling "attention" is not allowed; allowed: [cls mean max none]`},
		"format":        {edit: func(o *Options) { o.Format = "csv" }, want: `format "csv" is not allowed; allowed: jsonl, parquet`},
		"folder":        {edit: func(o *Options) { o.Folder = "nowhere" }, want: "nowhere"},
		"tokenizer":     {edit: func(o *Options) { o.Folder = small }, want: "15"},
		"long":          {edit: func(o *Options) { o.MaxLength = 17 }, want: "maximum length 17 is not allowed; allowed: 1 to 16"},
		"negative":      {edit: func(o *Options) { o.MaxLength = -1 }, want: "maximum length -1 is not allowed"},
		"too short":     {edit: func(o *Options) { o.MaxLength = 1 }, in: texts, want: "tokenise the texts"},
		"no object":     {in: `"secret"`, want: `line 1 is not an object with either "text", or "a"`, input: true},
		"second line":   {in: "{\"text\": \"a\"}\n{\"text\": \"secret", want: "line 2 is not JSON", input: true},
		"both":          {in: `{"text": "secret", "a": "a", "b": "b"}`, want: `line 1 is not an object with either "text"`, input: true},
		"empty":         {in: `{"text": " "}`, want: "line 1 has a text that is empty", input: true},
		"empty second":  {in: `{"a": "secret", "b": ""}`, want: "line 1 has a text that is empty", input: true},
		"broken writer": {in: texts, want: "write the vectors: full"},
	} {
		o := good
		if c.edit != nil {
			c.edit(&o)
		}
		var err error
		if name == "broken writer" {
			err = Run(t.Context(), o, strings.NewReader(c.in), full{})
		} else {
			err = Run(t.Context(), o, strings.NewReader(c.in), new(bytes.Buffer))
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || errors.Is(err, textlines.ErrLine) != c.input {
			t.Errorf("%s: %v, want …%s…", name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, good, strings.NewReader(texts), new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }
