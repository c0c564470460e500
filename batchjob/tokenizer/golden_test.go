package tokenizer

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// goldenCase is a line of golden_single.jsonl or golden_pairs.jsonl.
type goldenCase struct {
	I           int      `json:"i"`
	Text        string   `json:"text"`
	A           string   `json:"a"`
	B           string   `json:"b"`
	Truncation  string   `json:"truncation"`
	MaxLength   int      `json:"max_length"`
	Padding     string   `json:"padding"`
	PaddingSide string   `json:"padding_side"`
	IDs         []int32  `json:"ids"`
	TypeIDs     []int32  `json:"type_ids"`
	Mask        []int32  `json:"mask"`
	Offsets     []int    `json:"offsets"`
	Tokens      []string `json:"tokens"`
	Error       string   `json:"error"`
}

func (c goldenCase) encoding() Encoding {
	e := Encoding{IDs: c.IDs, TypeIDs: c.TypeIDs, Mask: c.Mask, Tokens: c.Tokens}
	for i := 0; i+1 < len(c.Offsets); i += 2 {
		e.Offsets = append(e.Offsets, [2]int{c.Offsets[i], c.Offsets[i+1]})
	}
	return e
}

// diff is cmp.Diff, faster when there is none.
func diff(want, got Encoding) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func readCases(t testing.TB, path string) []goldenCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []goldenCase
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var c goldenCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatalf("%s line %d: %v", path, len(cases)+1, err)
		}
		cases = append(cases, c)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no cases", path)
	}
	return cases
}

// wordPieceFamilies returns the golden folders of this package's kind of tokenizer.
func wordPieceFamilies(t testing.TB) []string {
	t.Helper()
	var dirs []string
	for _, dir := range goldentest.Cases(t, "tokenizer.json", "tokenizers") {
		data, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
		if err != nil {
			t.Fatal(err)
		}
		var f struct {
			Model struct {
				Type string `json:"type"`
			} `json:"model"`
		}
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		if f.Model.Type == "WordPiece" {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		t.Fatal("no golden tokenizer is a WordPiece one")
	}
	return dirs
}

func load(t testing.TB, dir string) *Tokenizer {
	t.Helper()
	tok, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// rawFiles are what a tokenizer may be read from without tokenizer.json.
var rawFiles = []string{"vocab.txt", "vocab.json", "merges.txt", "spiece.model", "spm.model"}

// withoutJSON copies a golden folder but for tokenizer.json.
func withoutJSON(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range append([]string{"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}, rawFiles...) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// bare leaves of a copy of a golden folder the raw files, and says in config.json what the
// tokenizer is, as many checkpoints on the hub have it.
func bare(t testing.TB, dir string) string {
	t.Helper()
	to := withoutJSON(t, dir)
	data, err := os.ReadFile(filepath.Join(to, "tokenizer_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Class     string `json:"tokenizer_class"`
		LowerCase *bool  `json:"do_lower_case,omitempty"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"} {
		if err := os.RemoveAll(filepath.Join(to, name)); err != nil {
			t.Fatal(err)
		}
	}
	kind := strings.ToLower(strings.TrimSuffix(c.Class, "Tokenizer"))
	if kind == "debertav2" {
		kind = "deberta-v2"
	}
	writeFile(t, filepath.Join(to, "config.json"), []byte(`{"model_type": "`+kind+`"}`))
	if c.LowerCase != nil {
		writeFile(t, filepath.Join(to, "tokenizer_config.json"), marshal(t, map[string]bool{"do_lower_case": *c.LowerCase}))
	}
	return to
}

// alone copies one file of a golden folder.
func alone(t testing.TB, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	writeFile(t, filepath.Join(to, name), data)
	return to
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestGolden(t *testing.T) {
	for _, dir := range goldentest.Cases(t, "tokenizer.json", "tokenizers") {
		sources := map[string]string{"tokenizer.json": dir}
		for _, name := range rawFiles {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				sources["raw"] = withoutJSON(t, dir)
				sources["bare"] = bare(t, dir)
				if name == "spiece.model" || name == "spm.model" {
					sources["alone"] = alone(t, dir, name)
				}
			}
		}
		for source, from := range sources {
			t.Run(filepath.Base(dir)+"/"+source, func(t *testing.T) {
				tok := load(t, from)
				for _, c := range readCases(t, filepath.Join(dir, "golden_single.jsonl")) {
					got := tok.Encode(c.Text)
					if d := diff(c.encoding(), got); d != "" {
						t.Errorf("single %d %q (-want +got):\n%s", c.I, c.Text, d)
					}
				}
				for _, c := range readCases(t, filepath.Join(dir, "golden_pairs.jsonl")) {
					goldenPair(t, tok, c)
				}
			})
		}
	}
}

func goldenPair(t *testing.T, tok *Tokenizer, c goldenCase) {
	t.Helper()
	strategy, err := ParseStrategy(c.Truncation)
	if err != nil {
		t.Fatal(err)
	}
	side := map[string]Side{"left": Left, "right": Right}[c.PaddingSide]
	if side == OwnSide || c.Padding != "max_length" {
		t.Fatalf("pair %d pads by %s on the %s", c.I, c.Padding, c.PaddingSide)
	}
	in := Input{A: c.A, B: c.B}
	got, err := tok.EncodeInput(in, Options{MaxLength: c.MaxLength, Truncation: strategy, Pad: true})
	if c.Error != "" {
		if err == nil {
			t.Errorf("pair %d by %v: no error, want %s", c.I, strategy, c.Error)
		} else if len(c.A) > 8 && strings.Contains(err.Error(), c.A) { // shorter ones are words of the error's own
			t.Errorf("pair %d: the error holds the text", c.I)
		}
		return
	}
	if err != nil {
		t.Errorf("pair %d by %v: %v", c.I, strategy, err)
		return
	}
	own, err := tok.EncodeInput(in, Options{MaxLength: c.MaxLength, Truncation: strategy, Pad: true, Side: side})
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(got, own); d != "" {
		t.Errorf("pair %d: the tokenizer's own side is not the %s", c.I, c.PaddingSide)
	}
	want := c.encoding()
	if want.Tokens == nil {
		got.Tokens = nil
	}
	if d := diff(want, got); d != "" {
		t.Errorf("pair %d by %v (-want +got):\n%s", c.I, strategy, d)
	}
}
