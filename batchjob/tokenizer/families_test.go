package tokenizer

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// TestFamilies compares odd texts and settings that no checkpoint in the golden data has;
// testdata/families.py made the cases with Hugging Face's library from our golden folders.
func TestFamilies(t *testing.T) {
	path := "testdata/families.jsonl"
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var tok *Tokenizer
	var name string
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for line := 1; s.Scan(); line++ {
		var c struct {
			goldenCase
			Family string         `json:"family"`
			Set    map[string]any `json:"set"`
		}
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if c.Family != "" {
			tok, name = variant(t, c.Family, c.Set), c.Family
			continue
		}
		if d := diff(c.encoding(), tok.Encode(c.Text)); d != "" {
			t.Errorf("line %d %s %+q (-want +got):\n%s", line, name, c.Text, d)
		}
	}
	if tok == nil {
		t.Fatal(path + " has no tokenizer")
	}
}

// variant loads a golden family's tokenizer.json with changes, path to value.
func variant(t *testing.T, family string, changes map[string]any) *Tokenizer {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "tests", "golden", "tokenizers", family, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	prefix := false
	for path, value := range changes {
		at, keys := tree, strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			at = at[key].(map[string]any)
		}
		at[keys[len(keys)-1]] = value
		prefix = prefix || path == "pre_tokenizer.add_prefix_space"
	}
	tok, err := fromJSON(marshal(t, tree), config{PrefixSpace: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// XLNet's mask is looked for in normalised text, where the carriage return before it is gone:
// what the raw file alone gives has to know that too.
func TestGoldenMaskAlone(t *testing.T) {
	for _, dir := range goldentest.Some(t, "spiece.model", "tokenizers") {
		for _, text := range []string{"been \r<mask>home", "been \r[MASK] home"} {
			if d := diff(load(t, dir).Encode(text), load(t, alone(t, dir, "spiece.model")).Encode(text)); d != "" {
				t.Errorf("%s, %q (-tokenizer.json +spiece.model):\n%s", filepath.Base(dir), text, d)
			}
		}
	}
}
