package tokenizer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestReference compares settings, added tokens and odd characters that no checkpoint in
// the golden data has. testdata/reference.py made the cases with Hugging Face's library.
func TestReference(t *testing.T) {
	f, err := os.Open("testdata/reference.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var vocab json.RawMessage
	var tok *Tokenizer
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for line := 1; s.Scan(); line++ {
		var c struct {
			goldenCase
			Tokenizer map[string]json.RawMessage `json:"tokenizer"`
		}
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Tokenizer != nil {
			tok, vocab = referenceTokenizer(t, c.Tokenizer, vocab)
			continue
		}
		if c.MaxLength == 0 {
			if d := diff(c.encoding(), tok.Encode(c.Text)); d != "" {
				t.Errorf("line %d %+q (-want +got):\n%s", line, c.Text, d)
			}
			continue
		}
		strategy, err := ParseStrategy(c.Truncation)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tok.EncodeInput(Input{c.A, c.B}, Options{MaxLength: c.MaxLength, Truncation: strategy, Pad: true})
		if (err != nil) != (c.Error != "") {
			t.Errorf("line %d: error %v, want %q", line, err, c.Error)
		} else if d := diff(c.encoding(), got); err == nil && d != "" {
			t.Errorf("line %d %+q %+q (-want +got):\n%s", line, c.A, c.B, d)
		}
	}
	if tok == nil {
		t.Fatal("testdata/reference.jsonl has no tokenizer")
	}
}

// referenceTokenizer builds a tokenizer with the vocabulary of the first that had one.
func referenceTokenizer(t *testing.T, file map[string]json.RawMessage, vocab json.RawMessage) (*Tokenizer, json.RawMessage) {
	t.Helper()
	var model map[string]json.RawMessage
	if err := json.Unmarshal(file["model"], &model); err != nil {
		t.Fatal(err)
	}
	if model["vocab"] != nil {
		vocab = model["vocab"]
	}
	model["vocab"] = vocab
	file["model"] = marshal(t, model)
	tok, err := fromJSON(marshal(t, file), config{})
	if err != nil {
		t.Fatal(err)
	}
	return tok, vocab
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestUnicodeSets hashes what each step does to every Unicode scalar value and compares
// with the reference library's hash.
func TestUnicodeSets(t *testing.T) {
	if testing.Short() {
		t.Skip("a second or two")
	}
	want, err := os.ReadFile("testdata/characters.sha256")
	if err != nil {
		t.Fatal(err)
	}
	steps := []*normalizer{
		newNormalizer(true, false, false, false), newNormalizer(false, true, false, false),
		newNormalizer(false, false, true, false), newNormalizer(false, false, false, true),
	}
	plain := newNormalizer(false, false, false, false)
	h := sha256.New()
	var out normalized
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		s := "a" + string(r) + "b"
		for _, step := range steps {
			step.normalize(&out, s, 0)
			_, _ = h.Write(append(out.text, '\t')) // a hash never fails
		}
		words := 0
		plain.eachWord([]byte(s), 0, len(s), func(int, int) { words++ })
		fmt.Fprintf(h, "%d\n", words)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != string(bytes.TrimSpace(want)) {
		t.Errorf("the characters' hash is %s, the reference's %s", got, want)
	}
}

func TestInvalidUTF8CountsOneEachByte(t *testing.T) {
	tok := small(t, "ab")
	got := tok.Encode("\xffa\xc3b")
	want := [][2]int{{0, 0}, {1, 4}, {0, 0}} // one word "ab" over code points 1 to 3: bytes that are no text are cleaned
	if d := cmp.Diff(want, got.Offsets); d != "" {
		t.Errorf("offsets (-want +got):\n%s", d)
	}
}

// small returns an uncased tokenizer with the special tokens and these.
func small(t testing.TB, tokens ...string) *Tokenizer {
	t.Helper()
	tok, err := fromVocab([]byte(strings.Join(append(SpecialTokens(), tokens...), "\n")), config{})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
