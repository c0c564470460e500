package tokenize

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/supermax-hpo/supermax/batchjob/textlines"
	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
	"github.com/supermax-hpo/supermax/tests/goldentest"
)

func load(t *testing.T, dir string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// small is a tokenizer with the words "a" and "b".
func small(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	dir := t.TempDir()
	if err := tokenizer.WriteVocab(dir, append(tokenizer.SpecialTokens(), "a", "b", "<"), tokenizer.VocabOptions{}); err != nil {
		t.Fatal(err)
	}
	return load(t, dir)
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	in := "{\"text\": \"a b\"}\r\n\n  \n{\"id\": 7, \"a\": \"a\", \"b\": \"b<\"}\n{\"a\": \"\"}"
	o := Options{TypeIDs: true, Mask: true, Offsets: true, Tokens: true, Encode: tokenizer.Options{MaxLength: 5, Pad: true}}
	if err := Run(t.Context(), small(t), strings.NewReader(in), &out, o); err != nil {
		t.Fatal(err)
	}
	// [PAD] [UNK] [CLS] [SEP] [MASK] a b < are 0 to 7.
	want := `{"ids":[2,5,6,3,0],"type_ids":[0,0,0,0,0],"mask":[1,1,1,1,0],"offsets":[[0,0],[0,1],[2,3],[0,0],[0,0]],"tokens":["[CLS]","a","b","[SEP]","[PAD]"]}
{"ids":[2,5,3,6,3],"type_ids":[0,0,0,1,1],"mask":[1,1,1,1,1],"offsets":[[0,0],[0,1],[0,0],[0,1],[0,0]],"tokens":["[CLS]","a","[SEP]","b","[SEP]"]}
{"ids":[2,3,0,0,0],"type_ids":[0,0,0,0,0],"mask":[1,1,0,0,0],"offsets":[[0,0],[0,0],[0,0],[0,0],[0,0]],"tokens":["[CLS]","[SEP]","[PAD]","[PAD]","[PAD]"]}
`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
	out.Reset()
	if err := Run(t.Context(), small(t), strings.NewReader(`{"text": "<"}`), &out, Options{Tokens: true}); err != nil || out.String() != `{"ids":[2,7,3],"tokens":["[CLS]","<","[SEP]"]}`+"\n" {
		t.Errorf("%s, %v", out.String(), err)
	}
}

// TestGoldenLines tokenizes all golden texts and compares the ids.
func TestGoldenLines(t *testing.T) {
	for _, dir := range goldentest.Cases(t, "tokenizer.json", "tokenizers") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, "golden_single.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := Run(t.Context(), load(t, dir), bytes.NewReader(data), &out, Options{}); err != nil {
				t.Fatal(err)
			}
			got, want := strings.Split(out.String(), "\n"), strings.Split(string(data), "\n")
			if len(got) != len(want) {
				t.Fatalf("%d lines of %d", len(got), len(want))
			}
			for i, line := range want[:len(want)-1] {
				var w, g struct{ IDs []int32 }
				if err := errors.Join(json.Unmarshal([]byte(line), &w), json.Unmarshal([]byte(got[i]), &g)); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(w.IDs, g.IDs) {
					t.Errorf("line %d: ids %v, want %v", i+1, g.IDs, w.IDs)
				}
			}
		})
	}
}

func TestBadLines(t *testing.T) {
	long := Options{Encode: tokenizer.Options{MaxLength: 5, Truncation: tokenizer.OnlyFirst}}
	for name, c := range map[string]struct {
		line string
		o    Options
		want string
	}{
		"no JSON":  {`{"text": secret}`, Options{}, "line 3 is not JSON, at byte 10 of 16"},
		"nothing":  {`{"post": "secret"}`, Options{}, "line 3 is not an object with"},
		"too long": {`{"a": "a", "b": "secret a b a b"}`, long, "line 3 cannot be encoded: encode to 5 tokens by only_first"},
	} {
		var out bytes.Buffer
		err := Run(t.Context(), small(t), strings.NewReader("{\"text\": \"a\"}\n\n"+c.line+"\n{\"text\": \"b\"}\n"), &out, c.o)
		if !errors.Is(err, textlines.ErrLine) || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if out.String() != "{\"ids\":[2,5,3]}\n" {
			t.Errorf("%s: wrote %q", name, out.String())
		}
	}
}

func TestManyLines(t *testing.T) {
	var in, want bytes.Buffer
	for i := range 5000 {
		n := i%7 + 1
		fmt.Fprintf(&in, "{\"text\": %q}\n", strings.Repeat("a", 1)+strings.Repeat(" b", n))
		fmt.Fprintf(&want, "{\"ids\":[2,5%s,3]}\n", strings.Repeat(",6", n))
	}
	var out bytes.Buffer
	if err := Run(t.Context(), small(t), &in, &out, Options{}); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() {
		t.Error("the lines are not those of the input")
	}
}

// TestAnswersWhileInputIsOpen: who writes a line and waits gets its ids.
func TestAnswersWhileInputIsOpen(t *testing.T) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, small(t), in, out, Options{}) }()
	r := bufio.NewReader(answers)
	for i := range 3 {
		if _, err := io.WriteString(feed, "{\"text\": \"a\"}\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := r.ReadString('\n'); err != nil || line != "{\"ids\":[2,5,3]}\n" {
			t.Fatalf("line %d: %q, %v", i, line, err)
		}
	}
	cancel() // while it waits for the next line
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
	feed.Close()
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error)  { return 0, b.error }
func (b broken) Write([]byte) (int, error) { return 0, b.error }

func TestBrokenEnds(t *testing.T) {
	full := errors.New("no space left")
	if err := Run(t.Context(), small(t), strings.NewReader(`{"text": "a"}`), broken{full}, Options{}); !errors.Is(err, full) {
		t.Errorf("writing: %v", err)
	}
	in := io.MultiReader(strings.NewReader("{\"text\": \"a\"}\n"), broken{full})
	var out bytes.Buffer
	if err := Run(t.Context(), small(t), in, &out, Options{}); !errors.Is(err, full) || !strings.HasPrefix(err.Error(), "read line 2: ") || out.Len() == 0 {
		t.Errorf("reading: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, small(t), strings.NewReader(`{"text": "a"}`), &out, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped before: %v", err)
	}
	if err := Run(t.Context(), small(t), strings.NewReader(`{"text": "a"}`), io.Discard, Options{Encode: tokenizer.Options{MaxLength: -1}}); err == nil {
		t.Error("a negative length is taken")
	}
}
